"""What programs call: a run of a device, its judgement, the gate. The command line and the pytest plugin are thin over
it."""
