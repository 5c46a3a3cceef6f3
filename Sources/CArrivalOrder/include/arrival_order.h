#ifndef EPISODIC_ARRIVAL_ORDER_H
#define EPISODIC_ARRIVAL_ORDER_H

#include <stdbool.h>

// The order of writes to two pipes.
//
// Each pipe holds one write of at most a page; the next write to it blocks until that has been read. So at most one write
// of each is unread, and the kernel's event queue gives the order of the two. Linux only: edge-triggered epoll queues
// descriptors in the order in which they became readable.

typedef struct {
  int pipe;       // 0 or 1
  bool has_ended; // no writer is left: the pipe may be read to its end
} arrival_t;

// Limits the pipes to one write each, and queues their events.
// Returns a descriptor that is readable while there are events, to be closed by the caller; -1 if unsupported.
int arrival_order_open(const int reading[2], const int writing[2]);

// Takes the oldest event. Returns whether there was one.
bool arrival_order_next(int order, arrival_t *arrival);

#endif
