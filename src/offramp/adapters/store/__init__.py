"""The store on SQLite and PostgreSQL, from one SQLAlchemy Core definition."""
