// Holds a process before its first line, as Frida's spawn does on Android: preloaded into each app of a stand-in device,
// it waits while /data/rig/held/PID is there and the process whose number stands in it lives.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void hold(void)
{
    char path[64], here[64];
    snprintf(path, sizeof path, "/data/rig/held/%d", (int)getpid());
    snprintf(here, sizeof here, "/data/rig/held/%d.here", (int)getpid());
    if (access(path, F_OK) == 0)
        fclose(fopen(here, "w"));
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
