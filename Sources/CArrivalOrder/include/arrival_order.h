#ifndef EPISODIC_ARRIVAL_ORDER_H
#define EPISODIC_ARRIVAL_ORDER_H

#include <stdbool.h>

// The order in which two pipes were written to, which two pipes by themselves do not tell.
//
// Each holds one write, of at most a page; the next to the same pipe waits until it has been read. So no more than one
// write of each is unread, and the kernel's queue of events says which of the two came first. Linux only: epoll with
// edges queues descriptors in the order in which they became readable.

typedef struct {
  int pipe;       // 0 or 1
  bool has_ended; // no writer is left: what is unread may be read to its end
} arrival_t;

// Makes the pipes hold one write each, and queues their events.
// Returns a descriptor that is readable while there are events, to be closed by the caller; -1 where there is no such thing.
int arrival_order_open(const int reading[2], const int writing[2]);

// Takes the oldest event. Returns whether there was one.
bool arrival_order_next(int order, arrival_t *arrival);

#endif
