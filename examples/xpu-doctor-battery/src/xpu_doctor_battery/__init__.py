"""An example plug-in of xpu-doctor: a laptop on battery clocks its GPU down."""
