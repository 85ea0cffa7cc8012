/* tools/cam/clips.h - what gbcam plays: files, or what is built in */
#ifndef TOOLS_CAM_CLIPS_H
#define TOOLS_CAM_CLIPS_H

#include "app/device/clip.h"
#include "app/device/sound.h"
#include "tools/cam/options.h"

struct clips {
    struct clip stream[2]; /* main, sub */
    struct slice file[2];  /* what they are read from; from malloc */
    struct sound sound;
};

/* 0, or a number of sysexits.h and a line on stderr. */
int clips_load(struct clips *c, const struct options *o);
void clips_free(struct clips *c);

/* The whole of a file, with a NUL behind it, from malloc; false: errno. */
bool file_read(const char *path, struct slice *out);
#endif
