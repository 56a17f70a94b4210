"""The one file that is carried to machines without pip."""
