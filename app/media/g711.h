/* app/media/g711.h - A-law and mu-law, both ways (ITU-T G.711) */
#ifndef APP_MEDIA_G711_H
#define APP_MEDIA_G711_H

#include <stdint.h>

#define G711_RATE_HZ 8000

/* 16 bit linear, full scale (the 13 or 14 bits of G.711 shifted up). */
extern const int16_t g711_alaw_table[256];
extern const int16_t g711_ulaw_table[256];

uint8_t g711_alaw_encode(int16_t sample);
uint8_t g711_ulaw_encode(int16_t sample);
#endif
