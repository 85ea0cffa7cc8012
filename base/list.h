/* base/list.h - intrusive doubly linked list
 *
 * The node sits inside the object; the list allocates nothing and removal
 * cannot fail. A node that is in no list points at itself. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define container_of(ptr, type, member)                                        \
    ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* Walks head; `n` may be removed (and its object freed) inside the loop. */
#define LIST_EACH(n, tmp, head)                                                \
    for ((n) = (head)->next, (tmp) = (n)->next; (n) != (head);                 \
         (n) = (tmp), (tmp) = (n)->next)

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert_before(struct list *at, struct list *n)
{
    n->prev = at->prev;
    n->next = at;
    at->prev->next = n;
    at->prev = n;
}

static inline void list_push_back(struct list *head, struct list *n)
{
    list_insert_before(head, n);
}

static inline void list_push_front(struct list *head, struct list *n)
{
    list_insert_before(head->next, n);
}

/* Out of its list; harmless when it is in none. */
static inline void list_remove(struct list *n)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): n is in its list */
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

/* All nodes of `from`, in their order, behind those of `to`. */
static inline void list_move(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* The first node, taken out, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *n = head->next;

    if (n == head)
        return NULL;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed left it */
    list_remove(n);
    return n;
}
#endif
