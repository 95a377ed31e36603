"""Published results held against the model, and the calibration on those that may be used for it."""
