"""Child processes that may crash, hang, lie or flood: started apart, watched, and never left behind."""
