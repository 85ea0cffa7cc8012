#include "manscdp/ptz.h"

#define START 0xa5
#define ADDRESS_MAX 0xfff

/* Bits of a movement's instruction. */
enum { RIGHT = 1, LEFT = 2, DOWN = 4, UP = 8, ZOOM_IN = 16, ZOOM_OUT = 32 };
enum { FAR = 1, NEAR = 2, IRIS_OPEN = 4, IRIS_CLOSE = 8, LENS = 0x40 };

/* What of the data bytes an instruction uses. */
enum { GROUP = 1, PRESET = 2, ANY_PRESET = 4, VALUE = 8 };

static const struct {
    uint8_t code;
    int data2; /* what it must be; -1: data */
    unsigned uses;
} instructions[MANSCDP_PTZ_OP_COUNT] = {
    [MANSCDP_PTZ_PRESET_SET] = { 0x81, -1, PRESET },
    [MANSCDP_PTZ_PRESET_CALL] = { 0x82, -1, PRESET },
    [MANSCDP_PTZ_PRESET_DELETE] = { 0x83, -1, PRESET },
    [MANSCDP_PTZ_CRUISE_ADD] = { 0x84, -1, GROUP | PRESET },
    [MANSCDP_PTZ_CRUISE_DELETE] = { 0x85, -1, GROUP | ANY_PRESET },
    [MANSCDP_PTZ_CRUISE_SPEED] = { 0x86, -1, GROUP | VALUE },
    [MANSCDP_PTZ_CRUISE_DWELL] = { 0x87, -1, GROUP | VALUE },
    [MANSCDP_PTZ_CRUISE_START] = { 0x88, -1, GROUP },
    [MANSCDP_PTZ_SCAN_START] = { 0x89, 0, GROUP },
    [MANSCDP_PTZ_SCAN_LEFT] = { 0x89, 1, GROUP },
    [MANSCDP_PTZ_SCAN_RIGHT] = { 0x89, 2, GROUP },
    [MANSCDP_PTZ_SCAN_SPEED] = { 0x8a, -1, GROUP | VALUE },
    [MANSCDP_PTZ_AUX_ON] = { 0x8c, -1, GROUP },
    [MANSCDP_PTZ_AUX_OFF] = { 0x8d, -1, GROUP },
};

static const struct slice names[MANSCDP_PTZ_OP_COUNT] = {
#define X(id, name) [MANSCDP_PTZ_##id] = SLICE_INIT(name),
    MANSCDP_PTZ_MAP(X)
#undef X
};

const char *manscdp_ptz_name(enum manscdp_ptz_op op)
{
    return (unsigned)op < MANSCDP_PTZ_OP_COUNT ? names[op].p : NULL;
}

bool manscdp_ptz_by_name(struct slice name, enum manscdp_ptz_op *op)
{
    for (unsigned i = 0; i < MANSCDP_PTZ_OP_COUNT; i++) {
        if (!slice_ieq(name, names[i]))
            continue;
        *op = (enum manscdp_ptz_op)i;
        return true;
    }
    return false;
}

bool manscdp_ptz_is_stop(const struct manscdp_ptz *c)
{
    if (c->op == MANSCDP_PTZ_MOVE)
        return !c->pan && !c->tilt && !c->zoom;
    return c->op == MANSCDP_PTZ_LENS && !c->focus && !c->iris;
}

/* ---- reading --------------------------------------------------------------- */

static bool read_hex(uint8_t *b, struct slice hex)
{
    size_t n = 0;

    memset(b, 0, MANSCDP_PTZ_BYTES);
    for (size_t i = 0; i < hex.n; i++) {
        int v = ascii_hex(hex.p[i]);

        if (ascii_is_space(hex.p[i]))
            continue;
        if (v < 0 || n == MANSCDP_PTZ_BYTES * 2)
            return false;
        b[n / 2] = (uint8_t)(b[n / 2] << 4 | v);
        n++;
    }
    return n == MANSCDP_PTZ_BYTES * 2;
}

static uint8_t sum_of(const uint8_t *b)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < MANSCDP_PTZ_BYTES - 1; i++)
        sum += b[i];
    return (uint8_t)sum;
}

/* Sets *out to what two opposite bits mean; false: both are set. */
static bool direction(int8_t *out, uint8_t bits, unsigned plus, unsigned minus)
{
    *out = (int8_t)(!!(bits & plus) - !!(bits & minus));
    return (bits & (plus | minus)) != (plus | minus);
}

static bool read_move(struct manscdp_ptz *c, const uint8_t *b)
{
    c->op = MANSCDP_PTZ_MOVE;
    c->pan_speed = b[4];
    c->tilt_speed = b[5];
    c->zoom_speed = b[6] >> 4;
    return direction(&c->pan, b[3], RIGHT, LEFT) &&
           direction(&c->tilt, b[3], UP, DOWN) &&
           direction(&c->zoom, b[3], ZOOM_IN, ZOOM_OUT);
}

static bool read_lens(struct manscdp_ptz *c, const uint8_t *b)
{
    c->op = MANSCDP_PTZ_LENS;
    c->focus_speed = b[4];
    c->iris_speed = b[5];
    return direction(&c->focus, b[3], FAR, NEAR) &&
           direction(&c->iris, b[3], IRIS_OPEN, IRIS_CLOSE);
}

/* The operation of an instruction; MANSCDP_PTZ_OP_COUNT: none. */
static unsigned op_of(const uint8_t *b)
{
    unsigned i = MANSCDP_PTZ_PRESET_SET;

    while (i < MANSCDP_PTZ_OP_COUNT &&
           (instructions[i].code != b[3] ||
            (instructions[i].data2 >= 0 && instructions[i].data2 != b[5])))
        i++;
    return i;
}

static int read_other(struct manscdp_ptz *c, const uint8_t *b)
{
    unsigned op = op_of(b), uses;

    if (op == MANSCDP_PTZ_OP_COUNT)
        return GB_EUNSUPPORTED;
    uses = instructions[op].uses;
    c->op = (enum manscdp_ptz_op)op;
    if (uses & GROUP)
        c->group = b[4];
    if (uses & (PRESET | ANY_PRESET))
        c->preset = b[5];
    if (uses & VALUE)
        c->value = (uint16_t)((b[6] & 0xf0) << 4 | b[5]);
    return uses & PRESET && c->preset == 0 ? GB_ERANGE : 0;
}

int manscdp_ptz_parse(struct manscdp_ptz *out, struct slice hex,
                      struct gb_diag *diag)
{
    struct manscdp_ptz c = { 0 };
    uint8_t b[MANSCDP_PTZ_BYTES];
    int err = 0;

    if (!read_hex(b, hex))
        return gb_fail(diag, GB_ESYNTAX, 0, "not 16 hex digits");
    if (b[0] != START)
        return gb_fail(diag, GB_ESYNTAX, 0, "does not begin with A5");
    if (b[7] != sum_of(b))
        return gb_fail(diag, GB_ESYNTAX, 14, "wrong sum");
    c.address = (uint16_t)((b[6] & 0x0f) << 8 | b[2]);
    if (b[3] < 0x40 ? !read_move(&c, b)
                    : (b[3] & 0xf0) == LENS && !read_lens(&c, b))
        return gb_fail(diag, GB_ESYNTAX, 6, "opposite directions at once");
    if (b[3] >= 0x50)
        err = read_other(&c, b);
    if (err)
        return gb_fail(diag, err, 6,
                       err == GB_ERANGE ? "preset 0" : "unknown instruction");
    *out = c;
    return 0;
}

/* ---- writing ---------------------------------------------------------------- */

static uint8_t bits_of(int8_t way, int plus, int minus)
{
    return (uint8_t)(way > 0 ? plus : way < 0 ? minus : 0);
}

static void write_move(uint8_t *b, const struct manscdp_ptz *c)
{
    b[3] = bits_of(c->pan, RIGHT, LEFT) | bits_of(c->tilt, UP, DOWN) |
           bits_of(c->zoom, ZOOM_IN, ZOOM_OUT);
    b[4] = c->pan_speed;
    b[5] = c->tilt_speed;
    b[6] = (uint8_t)(b[6] | c->zoom_speed << 4);
}

static void write_lens(uint8_t *b, const struct manscdp_ptz *c)
{
    b[3] = LENS | bits_of(c->focus, FAR, NEAR) |
           bits_of(c->iris, IRIS_OPEN, IRIS_CLOSE);
    b[4] = c->focus_speed;
    b[5] = c->iris_speed;
}

static void write_other(uint8_t *b, const struct manscdp_ptz *c)
{
    unsigned uses = instructions[c->op].uses;

    b[3] = instructions[c->op].code;
    if (uses & GROUP)
        b[4] = c->group;
    if (uses & (PRESET | ANY_PRESET))
        b[5] = c->preset;
    if (instructions[c->op].data2 > 0)
        b[5] = (uint8_t)instructions[c->op].data2;
    if (uses & VALUE) {
        b[5] = (uint8_t)c->value;
        b[6] = (uint8_t)(b[6] | (c->value >> 4 & 0xf0));
    }
}

static bool fits(const struct manscdp_ptz *c)
{
    return (unsigned)c->op < MANSCDP_PTZ_OP_COUNT &&
           c->address <= ADDRESS_MAX && c->zoom_speed <= 15 &&
           c->value <= MANSCDP_PTZ_VALUE_MAX &&
           !(instructions[c->op].uses & PRESET && c->preset == 0);
}

int manscdp_ptz_write(struct writer *w, const struct manscdp_ptz *c)
{
    uint8_t b[MANSCDP_PTZ_BYTES] = { START, 0x0f, (uint8_t)c->address };
    static const char digit[] = "0123456789ABCDEF";
    char text[2 * MANSCDP_PTZ_BYTES];

    if (!w->err && !fits(c))
        w->err = GB_ERANGE;
    if (w->err)
        return w->err;
    b[6] = (uint8_t)(c->address >> 8);
    if (c->op == MANSCDP_PTZ_MOVE)
        write_move(b, c);
    else if (c->op == MANSCDP_PTZ_LENS)
        write_lens(b, c);
    else
        write_other(b, c);
    b[7] = sum_of(b);
    for (unsigned i = 0; i < MANSCDP_PTZ_BYTES; i++) {
        text[2 * i] = digit[b[i] >> 4];
        text[2 * i + 1] = digit[b[i] & 15];
    }
    writer_bytes(w, text, sizeof(text));
    return w->err;
}
