// Holds a process before its first line, as Frida's spawn does on Android: preloaded into each app of a stand-in device,
// it waits while /data/rig/held/PID is there and the process whose number stands in it lives.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void hold(void)
{
    char path[64];
    snprintf(path, sizeof path, "/data/rig/held/%d", (int)getpid());
    for (;;) {
        FILE *file = fopen(path, "r");
        int holder = 0;
        if (!file)
            return;
        int read = fscanf(file, "%d", &holder);
        fclose(file);
        if (read != 1 || (kill(holder, 0) && errno == ESRCH))
            return;
        usleep(2000);
    }
}
