#ifdef __linux__
#define _GNU_SOURCE
#include "arrival_order.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

int arrival_order_open(const int reading[2], const int writing[2]) {
  const int room = (int)sysconf(_SC_PAGESIZE);
  const int order = epoll_create1(EPOLL_CLOEXEC);
  if (order < 0) return -1;
  for (int pipe = 0; pipe < 2; pipe++) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u32 = (uint32_t)pipe}};
    // O_DIRECT makes a pipe one of packets: without it small writes would share the page.
    const int flags = fcntl(writing[pipe], F_GETFL);
    if (flags < 0 || fcntl(writing[pipe], F_SETFL, flags | O_DIRECT) != 0 ||
        fcntl(writing[pipe], F_SETPIPE_SZ, room) != room ||
        epoll_ctl(order, EPOLL_CTL_ADD, reading[pipe], &event) != 0) {
      close(order);
      return -1;
    }
  }
  return order;
}

bool arrival_order_next(int order, arrival_t *arrival) {
  struct epoll_event event;
  if (epoll_wait(order, &event, 1, 0) != 1) return false;
  arrival->pipe = (int)event.data.u32;
  arrival->has_ended = (event.events & (EPOLLHUP | EPOLLERR)) != 0;
  return true;
}
#else
#include "arrival_order.h"

int arrival_order_open(const int reading[2], const int writing[2]) {
  (void)reading, (void)writing;
  return -1;
}

bool arrival_order_next(int order, arrival_t *arrival) {
  (void)order, (void)arrival;
  return false;
}
#endif
