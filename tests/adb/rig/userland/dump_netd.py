"""dumpsys netd trafficcontroller: before Android 13, what connectivity prints later"""

from dump_connectivity import main  # noqa: F401
