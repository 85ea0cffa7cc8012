/* app/why.h - what keeps the daemon from starting, as one sentence */
#ifndef APP_WHY_H
#define APP_WHY_H

#define WHY_MAX 512 /* bytes of the sentence why it does not start */
#endif
