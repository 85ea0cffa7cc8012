/* Completion for bash, from the tables of commands and options. */
#include "tools/ctl/ctl.h"

#include <stdio.h>

static void put_commands(const struct ctl_command *const *all, size_t n)
{
    const char *last = "";

    for (size_t i = 0; i < n; i++)
        for (const struct ctl_command *c = all[i]; c->name; c++) {
            if (!slice_eq(slice_str(c->name), slice_str(last)))
                printf(" %s", c->name);
            last = c->name;
        }
}

/* Options that take a value, as a pattern of case. */
static void put_valued(const struct option *options)
{
    const char *between = "";

    for (const struct option *o = options; o->name; o++) {
        if (o->has_arg != required_argument)
            continue;
        printf("%s--%s", between, o->name);
        between = " | ";
    }
}

/* Whatever is behind the command: the server is asked for devices, then for the
 * channels of the one before. */
void ctl_complete(const struct ctl_command *const *all, size_t n,
                  const struct option *options)
{
    fputs("# bash completion for gbctl: made by gbctl --completion\n"
          "_gbctl()\n"
          "{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i at=0\n"
          "    local -a word=()\n"
          "    COMPREPLY=()\n"
          "    case $prev in\n"
          "    --pcap | --token)\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
          "        return\n"
          "        ;;\n", stdout);
    fputs("    ", stdout);
    put_valued(options);
    fputs(")\n"
          "        return\n"
          "        ;;\n"
          "    esac\n"
          "    if [[ $cur == -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"", stdout);
    for (const struct option *o = options; o->name; o++)
        printf("%s--%s", o == options ? "" : " ", o->name);
    fputs("\" -- \"$cur\")\n"
          "        return\n"
          "    fi\n"
          "    # the words that are no options, nor what belongs to one\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        ", stdout);
    put_valued(options);
    fputs(") ((i++)) ;;\n"
          "        -*) ;;\n"
          "        *) word[at++]=${COMP_WORDS[i]} ;;\n"
          "        esac\n"
          "    done\n"
          "    case $at in\n"
          "    0)\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"", stdout);
    put_commands(all, n);
    fputs("\" -- \"$cur\")\n"
          "        ;;\n"
          "    1)\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$(gbctl devices 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')\" -- \"$cur\")\n"
          "        ;;\n"
          "    2)\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$(gbctl channels \"${word[1]}\" 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')\" -- \"$cur\")\n"
          "        ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _gbctl gbctl\n", stdout);
}
