/* What an app in C sees of its own connections: a line for each way to make one and to wait for it. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct { struct sockaddr_storage to; socklen_t size; } Place;

static Place place(const char *address, int port) {
  Place it = {0};
  struct sockaddr_in *v4 = (void *)&it.to;
  struct sockaddr_in6 *v6 = (void *)&it.to;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    it.size = sizeof *v4;
  } else {
    inet_pton(AF_INET6, address, &v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    it.size = sizeof *v6;
  }
  return it;
}

static int stream(const Place *place, int flags) { return socket(place->to.ss_family, SOCK_STREAM | flags, 0); }

static int try(int fd, const Place *place) { return connect(fd, (const void *)&place->to, place->size) == 0 ? 0 : errno; }

static int error_of(int fd) {
  int error = -1;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

/* Talk on a connection, and see whether its peer is who was asked for. */
static void use(int fd, const Place *place) {
  char got[16] = {0};
  struct sockaddr_storage peer = {0};
  socklen_t size = sizeof peer;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  if (write(fd, "hello", 5) != 5 || recv(fd, got, 5, MSG_WAITALL) != 5)
    printf(" broken %s", strerror(errno));
  printf(" %s", got);
  int result = getpeername(fd, (void *)&peer, &size);
  printf(" peer %d %s", result, size == place->size && memcmp(&peer, &place->to, size) == 0 ? "asked" : "other");
}

/* -- ways to wait; each gives how many events came */

static int epoll(int fd, unsigned events, int early, const Place *place, int *result) {
  int set = epoll_create1(0);
  struct epoll_event event = {.events = events, .data.u64 = 7}, came = {0};
  int many = 0;
  if (early)
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  *result = try(fd, place);
  if (!early)
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  do /* before it connected, a socket is told to have hung up */
    many = epoll_wait(set, &came, 1, 5000);
  while (early && many == 1 && (came.events & EPOLLHUP) && error_of(fd) == 0 && early++ < 2);
  close(set);
  return many == 1 && came.data.u64 == 7 && (came.events & EPOLLOUT) ? 1 : -1;
}

static int by_epoll(int fd, const Place *place, int *result) { return epoll(fd, EPOLLOUT | EPOLLIN, 0, place, result); }
static int by_edge(int fd, const Place *place, int *result) { return epoll(fd, EPOLLOUT | EPOLLET, 0, place, result); }
static int by_early_edge(int fd, const Place *place, int *result) { return epoll(fd, EPOLLOUT | EPOLLET, 1, place, result); }

static int by_pwait(int fd, const Place *place, int *result) {
  int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT}, came;
  *result = try(fd, place);
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  int many = epoll_pwait(set, &came, 1, 5000, NULL);
  close(set);
  return many;
}

static int by_poll(int fd, const Place *place, int *result) {
  int pipes[2];
  if (pipe(pipes) != 0)
    return -1;
  struct pollfd some[3] = {{-1, POLLIN}, {fd, POLLOUT | POLLIN}, {pipes[0], POLLIN}};
  *result = try(fd, place);
  int many = poll(some, 3, 5000);
  close(pipes[0]);
  close(pipes[1]);
  return some[1].events == (POLLOUT | POLLIN) && (some[1].revents & POLLOUT) && !some[2].revents ? many : -1;
}

static int by_ppoll(int fd, const Place *place, int *result) {
  struct pollfd one = {fd, POLLOUT};
  struct timespec patience = {5, 0};
  *result = try(fd, place);
  return ppoll(&one, 1, &patience, NULL);
}

static int by_select(int fd, const Place *place, int *result) {
  fd_set out;
  struct timeval patience = {5, 0};
  *result = try(fd, place);
  FD_ZERO(&out);
  FD_SET(fd, &out);
  int many = select(fd + 1, NULL, &out, NULL, &patience);
  return FD_ISSET(fd, &out) && patience.tv_sec <= 5 ? many : -1;
}

static int by_pselect(int fd, const Place *place, int *result) {
  fd_set out;
  struct timespec patience = {5, 0};
  *result = try(fd, place);
  FD_ZERO(&out);
  FD_SET(fd, &out);
  return pselect(fd + 1, NULL, &out, NULL, &patience, NULL);
}

static int by_trying(int fd, const Place *place, int *result) {
  int again = *result = try(fd, place);
  for (int i = 0; i < 5000 && (again == EINPROGRESS || again == EALREADY); i++) {
    usleep(1000);
    again = try(fd, place);
  }
  return again == 0 || again == EISCONN ? 1 : again;
}

static const struct { const char *name; int (*wait)(int, const Place *, int *); } ways[] = {
  {"poll", by_poll}, {"ppoll", by_ppoll}, {"select", by_select}, {"pselect", by_pselect}, {"epoll", by_epoll},
  {"edge", by_edge}, {"early edge", by_early_edge}, {"epoll_pwait", by_pwait}, {"trying", by_trying},
};

static void all(const char *address, int open, int closed) {
  Place up = place(address, open), down = place(address, closed);
  int fd, i, result;

  fd = stream(&up, 0);
  printf("waiting: %d", try(fd, &up));
  use(fd, &up);
  int copy = dup(fd);
  use(copy, &up);
  printf(" again %d\n", try(fd, &up));
  close(copy);
  close(fd);

  fd = stream(&up, 0);
  printf("refused: %d", try(fd, &down));
  printf(" then %d", try(fd, &up));
  use(fd, &up);
  printf("\n");
  close(fd);

  fd = stream(&up, 0);
  int yes = 1;
  if (up.to.ss_family == AF_INET6 && strchr(address, '.') == NULL)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  struct timeval patience = {5, 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &yes, sizeof yes);
  printf("with options: %d", try(fd, &up));
  use(fd, &up);
  printf("\n");
  close(fd);

  fd = stream(&up, 0);
  long sent = sendto(fd, "early", 5, MSG_FASTOPEN, (void *)&up.to, up.size);
  char got[8] = {0};
  recv(fd, got, 5, MSG_WAITALL);
  printf("sending at once: %ld %s", sent, got);
  use(fd, &up);
  printf("\n");
  close(fd);

  for (i = 0; i < (int)(sizeof ways / sizeof *ways); i++) {
    fd = stream(&up, SOCK_NONBLOCK);
    int many = ways[i].wait(fd, &up, &result), error = error_of(fd);
    printf("%s: %d %d error %d", ways[i].name, result, many, error);
    use(fd, &up);
    printf("\n");
    close(fd);
    fd = stream(&down, SOCK_NONBLOCK);
    many = ways[i].wait(fd, &down, &result);
    error = error_of(fd);
    // Linux refuses at once, or, when busy, after it has said that it is in progress
    int refused = result == EINPROGRESS ? error : result;
    printf("%s, refused: %d %d then %d\n", ways[i].name, refused, many, error_of(fd));
    close(fd);
  }
}

/* What an app gets for pointers to nothing. */
static void unmapped(void) {
  void *nothing = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int fd = socket(AF_INET, SOCK_STREAM, 0), set = epoll_create1(0);
  printf("unmapped:");
  printf(" %d", connect(fd, nothing, 16) == 0 ? 0 : errno);
  printf(" %d", sendto(fd, "x", 1, MSG_NOSIGNAL, nothing, 16) == 1 ? 0 : errno);
  printf(" %d", sendmsg(fd, nothing, 0) == 1 ? 0 : errno);
  printf(" %d", sendmmsg(fd, nothing, 1, 0) == 1 ? 0 : errno);
  printf(" %d", epoll_ctl(set, EPOLL_CTL_ADD, fd, nothing) == 0 ? 0 : errno);
  printf(" %d", poll(nothing, 1, 0) >= 0 ? 0 : errno);
  printf(" %d\n", select(fd + 1, nothing, NULL, NULL, &(struct timeval){0}) >= 0 ? 0 : errno);
  close(set);
  close(fd);
}

/* A copy of the process has the functions as they are without hooks. */
static void copied(void) {
  struct pollfd one = {0, POLLIN};
  int result = 0, pid = fork();
  if (pid == 0) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    struct timeval none = {0};
    fd_set in;
    FD_ZERO(&in);
    poll(&one, 1, 0);
    ppoll(&one, 1, &(struct timespec){0}, NULL);
    select(1, &in, NULL, NULL, &none);
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    epoll_wait(set, &event, 1, 0);
    error_of(fd);
    Place self = place("127.0.0.1", 1);
    try(fd, &self);
    _exit(7);
  }
  waitpid(pid, &result, 0);
  printf("copy: %d\n", WIFEXITED(result) ? WEXITSTATUS(result) : -WTERMSIG(result));
}

/* Whether UDP to port 443 is sent, by each way to send it; names are looked up all the same. */
static void quic(const char *address) {
  Place to = place(address, 443);
  struct iovec part = {"x", 1};
  struct mmsghdr message = {.msg_hdr = {.msg_name = &to.to, .msg_namelen = to.size, .msg_iov = &part, .msg_iovlen = 1}};
  int fd = socket(to.to.ss_family, SOCK_DGRAM, 0);
  printf("quic:");
  printf(" %d", sendto(fd, "x", 1, 0, (void *)&to.to, to.size) == 1 ? 0 : errno);
  printf(" %d", sendmsg(fd, &message.msg_hdr, 0) == 1 ? 0 : errno);
  printf(" %d", sendmmsg(fd, &message, 1, 0) == 1 ? 0 : errno);
  printf(" %d\n", try(fd, &to));
  close(fd);
}

int Java_redirect_Native_all(void *env, void *cls, int open, int closed) {
  char *left = strdup(getenv("PLACES"));
  for (char *one = strtok(left, " "); one != NULL; one = strtok(NULL, " "))
    all(one, open, closed);
  unmapped();
  copied();
  quic(strtok(strcpy(left, getenv("PLACES")), " "));
  free(left);
  return fflush(stdout);
}
