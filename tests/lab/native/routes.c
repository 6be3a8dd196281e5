/* The native library of an app: takes each route to personal data that passes no Java API. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Prints the first file that matches a name with the first network interface that is not the loopback in it. */
static const char *interface_name(void) {
    static char name[IF_NAMESIZE];
    struct if_nameindex *all = if_nameindex();
    for (struct if_nameindex *each = all; each && each->if_index; each++)
        if (strcmp(each->if_name, "lo") != 0) {
            snprintf(name, sizeof name, "%s", each->if_name);
            break;
        }
    if_freenameindex(all);
    return name;
}

int read_file(const char *path) {
    char text[4096];
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    return (int)n;
}

int file(void) {
    char path[128];
    snprintf(path, sizeof path, "/sys/class/net/%s/address", interface_name());
    return read_file(path);
}

int stream(void) {
    char text[64];
    FILE *in = fopen("/proc/sys/kernel/random/boot_id", "r");
    char *got = fgets(text, sizeof text, in);
    fclose(in);
    return got ? 0 : -1;
}

int elsewhere(void) { return read_file("/proc/self/status"); }

int denied(void) { return read_file("/data/app") == -1 && access("/data/data/com.example.bank", F_OK) == -1; }

int folder(void) {
    DIR *all = opendir("/proc");
    int any = readdir(all) != NULL;
    closedir(all);
    return any;
}

int status(void) {
    struct stat found;
    return stat("/data/data/com.example.bank", &found);
}

int interfaces(void) {
    struct ifaddrs *all;
    int failed = getifaddrs(&all);
    freeifaddrs(all);
    return failed;
}

int hardware(void) {
    struct ifreq ask = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    snprintf(ask.ifr_name, IF_NAMESIZE, "%s", interface_name());
    int failed = ioctl(fd, SIOCGIFHWADDR, &ask);
    ioctl(fd, SIOCGIFADDR, &ask);
    close(fd);
    return failed;
}

int configured(void) {
    char room[4096];
    struct ifconf ask = {.ifc_len = sizeof room, .ifc_buf = room};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int failed = ioctl(fd, SIOCGIFCONF, &ask);
    close(fd);
    return failed;
}

int kernel(void) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg about;
    } ask = {.header = {.nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    char room[16384];
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    send(fd, &ask, sizeof ask, 0);
    ssize_t n = recv(fd, room, sizeof room, 0);
    close(fd);
    return n > 0 ? 0 : -1;
}

int shell(void) {
    char text[64];
    FILE *in = popen("echo SERIAL0042 # getprop ro.serialno", "r");
    char *got = fgets(text, sizeof text, in);
    pclose(in);
    return got ? 0 : -1;
}

/* A copy that attempts to start a program a thousand times and ends. */
static int attempts(const char *path, char *name) {
    char *words[] = {name, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 1000; i++)
            execve(path, words, environ);
        _exit(0);
    }
    return waitpid(pid, NULL, 0) != pid;
}

/* Attempts with a program that is not there, as a search through a long path makes them. */
int searched(void) { return attempts("/nowhere/at/all", "nowhere"); }

/* More at once than the agent can hold, with a path that can be executed for all that access tells. */
int crowd(void) { return attempts("/", "crowd"); }

/* A copy that starts a program only after it was taken for one that does not. */
int late(void) {
    pid_t pid = fork();
    if (pid == 0) {
        usleep(1500 * 1000);
        execlp("true", "true", "late", NULL);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) != pid;
}

int child(void) {
    char *words[] = {"true", "dumpsys", "location", NULL};
    pid_t pid;
    int failed = posix_spawnp(&pid, "true", NULL, NULL, words, environ);
    waitpid(pid, NULL, 0);
    return failed;
}

/* What Android alone has: of a stand-in that is loaded by its name there. */
static void *android(const char *library, const char *function) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", getenv("STANDINS"), library);
    void *opened = dlopen(path, RTLD_NOW);
    return opened ? dlsym(opened, function) : NULL;
}

int property(void) {
    int (*get)(const char *, char *) = android("libc.so", "__system_property_get");
    char value[92];
    get("debug.nothing.of.anybody", value);
    return get("ro.serialno", value);
}

static char seen[92];
static void tell(void *cookie, const char *name, const char *value, uint32_t serial) {
    (void)cookie, (void)name, (void)serial;
    snprintf(seen, sizeof seen, "%s", value);
}

int property_callback(void) {
    const void *(*find)(const char *) = android("libc.so", "__system_property_find");
    void (*read)(const void *, void (*)(void *, const char *, const char *, uint32_t), void *) =
        android("libc.so", "__system_property_read_callback");
    read(find("ro.serialno"), tell, NULL);
    return strcmp(seen, "SERIAL0042");
}

int property_read(void) {
    const void *(*find)(const char *) = android("libc.so", "__system_property_find");
    int (*read)(const void *, char *, char *) = android("libc.so", "__system_property_read");
    char name[92], value[92];
    return read(find("ro.serialno"), name, value);
}

int camera(void) { return ((int (*)(void))android("libcamera2ndk.so", "ACameraManager_openCamera"))(); }
int sound(void) { return ((int (*)(void))android("libaaudio.so", "AAudioStream_read"))(); }
int sensors(void) { return ((int (*)(void))android("libandroid.so", "ASensorManager_createEventQueue"))(); }

int drm(void) {
    struct {
        const uint8_t *bytes;
        size_t size;
    } got;
    int (*get)(void *, const char *, void *) = android("libmediandk.so", "AMediaDrm_getPropertyByteArray");
    return get(NULL, "deviceUniqueId", &got);
}

/* Two calls a round, and now and then a process: a program of another, and a copy that goes on by itself. */
int many(void) {
    int (*get)(const char *, char *) = android("libc.so", "__system_property_get");
    char value[92];
    for (int round = 0; round < 1000; round++) {
        get("ro.serialno", value);
        closedir(opendir("/proc"));
        if (round % 100 == 0)
            child();
        if (round % 100 == 50) {
            pid_t pid = fork();
            if (pid == 0)
                _exit(0);
            waitpid(pid, NULL, 0);
        }
    }
    return strcmp(value, "SERIAL0042");
}

static atomic_int busy;
static void *reads(void *none) {
    while (atomic_load(&busy))
        read_file("/proc/self/status");
    return none;
}

/* How many of 40 copies, made while other threads are in hooked functions, did not come to their end. */
int copies(void) {
    pthread_t threads[4];
    int hung = 0, status;
    atomic_store(&busy, 1);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, reads, NULL);
    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(10);
            _exit(read_file("/proc/self/status") > 0 ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        hung += status != 0;
    }
    atomic_store(&busy, 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return hung;
}

/* Libraries that are used at once when they are loaded; each of 50 twice, and unloaded in between. */
int loaded(void) {
    struct {
        const uint8_t *bytes;
        size_t size;
    } got;
    char path[512];
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "%s/%d/libmediandk.so", getenv("STANDINS"), i / 2);
        void *library = dlopen(path, RTLD_NOW);
        int (*get)(void *, const char *, void *) = library ? dlsym(library, "AMediaDrm_getPropertyByteArray") : NULL;
        if (!get || get(NULL, "deviceUniqueId", &got) != 0)
            return -1;
        dlclose(library);
    }
    return 0;
}

static int (*const steps[])(void) = {
    crowd, late, file, stream, elsewhere, denied, folder, status, interfaces, hardware, configured, kernel, shell,
    searched, child, property, property_callback, property_read, camera, sound, sensors, drm, many, copies, loaded,
};

/* static native int take(int step) of routes.Main */
int Java_routes_Main_take(void *env, void *cls, int step) {
    (void)env, (void)cls;
    return steps[step]();
}
