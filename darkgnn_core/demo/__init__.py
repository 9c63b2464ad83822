"""The demo darknet: synthetic traffic with planted truth, calibrated on the paper's Table 2."""
