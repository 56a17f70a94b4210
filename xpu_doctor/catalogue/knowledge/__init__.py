"""What the tables know of a torch release, a GPU or a driver build, with sources: the rows behind `xpu-doctor facts`."""
