/* Settings that people make while it runs: a file in the data directory, whose
 * values count where no other layer has one. */
#include "app/config_int.h"

#include <errno.h>

int config_read_kept(struct config *c, const char *path,
                     struct config_error *e)
{
    FILE *f = fopen(path, "rb");
    struct config kept;
    int err;

    if (!f && (errno == ENOENT || errno == ENOTDIR))
        return 0; /* nothing has been set; who opens the directory tells why */
    if (f)
        fclose(f);
    err = config_init(&kept);
    if (err)
        return err;
    err = config_read(&kept, path, e);
    for (size_t k = 0; !err && k < CONFIG_COUNT; k++) {
        struct config_value old = c->value[k];

        /* what needs a restart was never set there */
        if (old.layer != CONFIG_DEFAULT ||
            kept.value[k].layer == CONFIG_DEFAULT || !config_keys[k].hup)
            continue;
        c->value[k] = kept.value[k];
        c->value[k].layer = CONFIG_KEPT;
        kept.value[k] = old;
    }
    config_fini(&kept);
    return err;
}

/* Of what another layer has, and of secrets, nothing can be set here. */
static bool is_secret(int k)
{
    return k == CONFIG_SIP_PASSWORD || k == CONFIG_MQTT_PASSWORD ||
           config_keys[k].type == CONFIG_HOOKS;
}

bool config_setting(const struct config *c, size_t i,
                    struct config_setting *out)
{
    const struct key_info *k = &config_keys[i];

    if (i >= CONFIG_COUNT)
        return false;
    *out = (struct config_setting){
        .name = k->name, .help = k->help, .choices = k->choices,
        .def = k->def, .type = k->type, .min = k->min, .max = k->max,
        .layer = c->value[i].layer, .reloads = k->hup,
        .secret = is_secret((int)i), .list = config_is_list(k->type),
        .item = c->value[i].item, .n = c->value[i].n,
    };
    out->changes = k->hup && !out->secret && out->layer <= CONFIG_KEPT;
    return true;
}

int config_copy(struct config *to, const struct config *from)
{
    *to = (struct config){ 0 };
    for (size_t k = 0; k < CONFIG_COUNT; k++) {
        to->value[k].layer = from->value[k].layer;
        for (size_t i = 0; i < from->value[k].n; i++) {
            if (config_value_push(&to->value[k],
                                  slice_str(from->value[k].item[i])))
                continue;
            config_fini(to);
            return GB_ENOMEM;
        }
    }
    return 0;
}

static int refuse_place(enum config_layer layer, struct config_error *e)
{
    config_refuse(e, "it is set %s, which wins over what is set here",
                  layer == CONFIG_FILE  ? "in the configuration file"
                  : layer == CONFIG_ENV ? "in the environment"
                                        : "on the command line");
    return GB_ESTATE;
}

int config_keep(struct config *c, struct slice name, struct slice text,
                bool reset, struct config_error *e)
{
    struct config_value v = { .layer = reset ? CONFIG_DEFAULT : CONFIG_KEPT };
    int k = config_find_key(name);
    const char *fault;
    bool ok;

    if (k < 0) {
        config_refuse(e, "no such setting");
        return GB_ENOENT;
    }
    if (c->value[k].layer > CONFIG_KEPT)
        return refuse_place(c->value[k].layer, e);
    if (!config_keys[k].hup || is_secret(k)) {
        config_refuse(e, is_secret(k)
                             ? "secrets are not set here"
                             : "it needs a restart: set it in the "
                               "configuration file");
        return GB_EUNSUPPORTED;
    }
    ok = config_value_of_text(&v, &config_keys[k],
                              reset ? slice_str(config_keys[k].def) : text);
    fault = ok ? config_value_fault(&config_keys[k], &v) : "no memory";
    if (fault) {
        config_value_clear(&v);
        config_refuse(e, "%s", fault);
        return ok ? GB_ESYNTAX : GB_ENOMEM;
    }
    config_value_clear(&c->value[k]);
    c->value[k] = v;
    return 0;
}

void config_print_kept(const struct config *c, FILE *out)
{
    struct slice last = { 0 };

    fputs("# Made by gb28181d: settings that were set in the page or the API.\n",
          out);
    for (int k = 0; k < CONFIG_COUNT; k++) {
        struct slice name = slice_str(config_keys[k].name), section;

        if (c->value[k].layer != CONFIG_KEPT || !slice_cut(&name, '.', &section))
            continue;
        if (!slice_eq(section, last))
            fprintf(out, "%.*s:\n", SLICE_ARG(section));
        last = section;
        fprintf(out, "  %.*s: ", SLICE_ARG(name));
        config_print_value(out, k, &c->value[k]);
        fputc('\n', out);
    }
}
