"""Measuring the engine: the schedule, the queue, the fan-out, and who takes over.

The suite `engine` lives here. Beside Offramp stand what people use for the same work today: jobs of
Procrastinate, and workflows of DBOS Transact that sleep until a date.
"""
