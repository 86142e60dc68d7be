// The floor of a handshake: accept, read once, answer with fixed bytes. Checks nothing.
#define _GNU_SOURCE
#include "floor.h"

static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

int main(void) {
    int listener = listen_anywhere();
    int poll_fd = epoll_create1(0);
    watch(poll_fd, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    static char buffer[64 << 10];
    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (!events[i].data.ptr) {
                int fd;
                while ((fd = accept_one(listener)) >= 0)
                    watch(poll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, (void *)(long)fd);
                continue;
            }
            int fd = (int)(long)events[i].data.ptr;
            ssize_t filled = recv(fd, buffer, sizeof buffer, 0);
            if (filled <= 0 || send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
                close(fd);
        }
    }
}
