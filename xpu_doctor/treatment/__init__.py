"""What `fix` does to an environment: a plan, what must hold before it, its steps, and the way back."""
