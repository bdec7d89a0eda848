"""What a member has earned, signed so that anybody can check it without us, for ever."""
