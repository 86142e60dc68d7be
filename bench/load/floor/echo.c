// The floor of an echo: bytes back as they came, one thread, epoll, one shared read buffer.
#define _GNU_SOURCE
#include "floor.h"

struct connection {
    int fd;
    char *unsent; // what the socket did not take; NULL if it took everything
    size_t begin, end;
};

static char buffer[64 << 10];
static int poll_fd;

static void drop(struct connection *connection) {
    close(connection->fd);
    free(connection->unsent);
    free(connection);
}

static void keep(struct connection *connection, const char *bytes, size_t len) {
    connection->unsent = malloc(len);
    if (!connection->unsent)
        fail("malloc");
    memcpy(connection->unsent, bytes, len);
    connection->begin = 0;
    connection->end = len;
    watch(poll_fd, EPOLL_CTL_MOD, connection->fd, EPOLLOUT, connection);
}

static void on_readable(struct connection *connection) {
    ssize_t filled = recv(connection->fd, buffer, sizeof buffer, 0);
    if (filled <= 0) {
        if (filled < 0 && errno == EAGAIN)
            return;
        drop(connection);
        return;
    }
    size_t sent = 0;
    while (sent < (size_t)filled) {
        ssize_t written = send(connection->fd, buffer + sent, filled - sent, MSG_NOSIGNAL);
        if (written < 0) {
            if (errno == EAGAIN)
                keep(connection, buffer + sent, filled - sent);
            else
                drop(connection);
            return;
        }
        sent += written;
    }
}

static void on_writable(struct connection *connection) {
    while (connection->begin < connection->end) {
        size_t len = connection->end - connection->begin;
        ssize_t written = send(connection->fd, connection->unsent + connection->begin, len, MSG_NOSIGNAL);
        if (written < 0) {
            if (errno != EAGAIN)
                drop(connection);
            return;
        }
        connection->begin += written;
    }
    free(connection->unsent);
    connection->unsent = NULL;
    watch(poll_fd, EPOLL_CTL_MOD, connection->fd, EPOLLIN, connection);
}

int main(void) {
    int listener = listen_anywhere();
    poll_fd = epoll_create1(0);
    watch(poll_fd, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                int fd;
                while ((fd = accept_one(listener)) >= 0) {
                    connection = calloc(1, sizeof *connection);
                    if (!connection)
                        fail("calloc");
                    connection->fd = fd;
                    watch(poll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
                }
            } else if (events[i].events & EPOLLOUT) {
                on_writable(connection);
            } else {
                on_readable(connection);
            }
        }
    }
}
