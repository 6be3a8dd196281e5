#!/bin/busybox sh
# The first process of the guest: makes it fit for programs, runs /appwitness/run.sh, and turns the machine off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /dev/shm
mount -t tmpfs -o size=2g tmp /tmp
mount -t tmpfs run /run
ip link set lo up
busybox insmod /lib/modules/dummy.ko
ip link add dummy0 type dummy 2>/dev/null
ip address add 192.0.2.15/24 dev dummy0
ip link set dummy0 up
ln -sf /proc/self/fd /dev/fd
bash /appwitness/run.sh >/appwitness/output 2>&1 </dev/null
echo $? >/appwitness/code
sync
busybox poweroff -f
