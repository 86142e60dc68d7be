// The floor of a fan-out: what the first connection sends goes to all others, one send(2) each.
#define _GNU_SOURCE
#include "floor.h"

static char buffer[64 << 10];
static int subscribers[1 << 16];
static size_t subscriber_count;

static void publish(int publisher) {
    ssize_t filled = recv(publisher, buffer, sizeof buffer, 0);
    if (filled < 0 && errno == EAGAIN)
        return;
    if (filled <= 0)
        exit(0);
    for (size_t i = 0; i < subscriber_count; i++) {
        // The load keeps far less under way than a socket buffers.
        if (send(subscribers[i], buffer, filled, MSG_NOSIGNAL) != filled)
            fail("send");
    }
}

int main(void) {
    int listener = listen_anywhere();
    int poll_fd = epoll_create1(0);
    int publisher = -1;
    watch(poll_fd, EPOLL_CTL_ADD, listener, EPOLLIN, &listener);
    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &listener) {
                int fd;
                while ((fd = accept_one(listener)) >= 0) {
                    if (publisher < 0) {
                        publisher = fd;
                        watch(poll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, &publisher);
                    } else {
                        subscribers[subscriber_count++] = fd;
                        watch(poll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, &subscribers);
                    }
                }
            } else if (events[i].data.ptr == &publisher) {
                publish(publisher);
            } else {
                exit(0); // a subscriber left: the run is over
            }
        }
    }
}
