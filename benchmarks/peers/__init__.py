"""The contenders: each function trains a workload forever, calling the gate after every epoch."""
