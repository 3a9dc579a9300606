/* A DynamoDB that gives canned answers: `server FOLDER` listens on a free port of the loopback interface and prints it.

   Each file of the folder is a whole HTTP answer, named by the operation it answers ("GetItem"). Those of further pages
   are named "Scan.1", "Scan.2", ...; a request asks for one by "PAGE#1" anywhere in its body. It ends with its standard
   input. One thread and epoll: it must not be what is measured. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fcntl.h>

#define MOST 1024
#define PIECE (1 << 16)

struct answer {
    char name[64];
    char *bytes;
    size_t size;
};

struct connection {
    char *in;
    size_t filled, room;
    const char *out;
    size_t left;
};

static struct answer answers[64];
static int known;
static struct connection *connections[MOST];

static void load(const char *folder) {
    DIR *entries = opendir(folder);
    struct dirent *entry;
    char path[4096];
    if (!entries) { perror(folder); exit(1); }
    while ((entry = readdir(entries))) {
        if (entry->d_name[0] == '.' || known == 64) continue;
        struct answer *one = &answers[known++];
        snprintf(one->name, sizeof one->name, "%.60s", entry->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "rb");
        if (!file) { perror(path); exit(1); }
        fseek(file, 0, SEEK_END);
        one->size = (size_t)ftell(file);
        rewind(file);
        one->bytes = malloc(one->size);
        if (fread(one->bytes, 1, one->size, file) != one->size) { perror(path); exit(1); }
        fclose(file);
    }
    closedir(entries);
}

static const struct answer *answer_of(const char *operation, size_t length, const char *body, size_t size) {
    char name[64];
    const char *page = memmem(body, size, "PAGE#", 5);
    snprintf(name, sizeof name, "%.*s%s%.*s", (int)(length < 40 ? length : 40), operation, page ? "." : "",
             page ? (int)strspn(page + 5, "0123456789") : 0, page ? page + 5 : "");
    for (int i = 0; i < known; i++)
        if (!strcmp(answers[i].name, name)) return &answers[i];
    for (int i = 0; i < known; i++)
        if (!strcmp(answers[i].name, "Unknown")) return &answers[i];
    fprintf(stderr, "no answer for %s\n", name);
    exit(1);
}

/* Give the answer to the first request in the buffer, and take it out; NULL if it is not complete. */
static const struct answer *take(struct connection *one) {
    char *end = memmem(one->in, one->filled, "\r\n\r\n", 4);
    if (!end) return NULL;
    size_t head = (size_t)(end - one->in) + 4, body = 0, length = 0;
    const char *operation = "";
    for (char *line = memmem(one->in, head, "\r\n", 2) + 2; line < end; line = strstr(line, "\r\n") + 2) {
        if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
        if (!strncasecmp(line, "x-amz-target:", 13)) {
            operation = memchr(line, '.', (size_t)(end - line)) + 1;
            length = strcspn(operation, "\r\n");
        }
    }
    if (one->filled < head + body) return NULL;
    const struct answer *found = answer_of(operation, length, one->in + head, body);
    one->filled -= head + body;
    memmove(one->in, one->in + head + body, one->filled);
    one->in[one->filled] = 0;
    return found;
}

static int serve(int epoll, int fd) {
    struct connection *one = connections[fd];
    for (;;) {
        if (one->left) {
            ssize_t sent = send(fd, one->out, one->left, MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN) return 0;
            if (sent > 0) { one->out += sent; one->left -= (size_t)sent; }
            if (one->left) {
                struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.fd = fd};
                epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
                return 1;
            }
            struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
            epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
        }
        const struct answer *next = one->filled ? take(one) : NULL;
        if (next) {
            ssize_t sent = send(fd, next->bytes, next->size, MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN) return 0;
            if (sent < 0) sent = 0;
            one->out = next->bytes + sent;
            one->left = next->size - (size_t)sent;
            continue;
        }
        if (one->filled + PIECE + 1 > one->room) one->in = realloc(one->in, one->room = one->filled + PIECE + 1);
        ssize_t got = recv(fd, one->in + one->filled, PIECE, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return 0;
        if (got < 0) return 1;
        one->filled += (size_t)got;
        one->in[one->filled] = 0;
    }
}

int main(int count, char **arguments) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct epoll_event events[256], event = {.events = EPOLLIN};
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), on = 1;
    if (count != 2) { fputs("usage: server FOLDER\n", stderr); return 2; }
    load(arguments[1]);
    if (bind(listening, (struct sockaddr *)&address, size) || listen(listening, 1024)) { perror("listen"); return 1; }
    getsockname(listening, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    event.data.fd = listening;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
    event.data.fd = 0;
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == 0) return 0;
            if (fd != listening) {
                if (!serve(epoll, fd)) {
                    free(connections[fd]->in);
                    free(connections[fd]);
                    connections[fd] = NULL;
                    close(fd);
                }
                continue;
            }
            while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (fd >= MOST) { close(fd); continue; }
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                connections[fd] = calloc(1, sizeof **connections);
                event.data.fd = fd;
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
            }
        }
    }
}
