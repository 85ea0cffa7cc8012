/* Completion for shells, from the tables of commands and options. */
#include "tools/ctl/ctl.h"

#include <stdio.h>

static void put_commands(const struct ctl_command *const *all, size_t n)
{
    const char *last = "", *between = "";

    for (size_t i = 0; i < n; i++)
        for (const struct ctl_command *c = all[i]; c->name; c++) {
            if (!slice_eq(slice_str(c->name), slice_str(last))) {
                printf("%s%s", between, c->name);
                between = " ";
            }
            last = c->name;
        }
}

static void put_options(const struct option *options)
{
    for (const struct option *o = options; o->name; o++)
        printf("%s--%s", o == options ? "" : " ", o->name);
}

/* Options that take a value. */
static void put_valued(const struct option *options, const char *apart)
{
    const char *between = "";

    for (const struct option *o = options; o->name; o++) {
        if (o->has_arg != required_argument)
            continue;
        printf("%s--%s", between, o->name);
        between = apart;
    }
}

#define IDS " 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }'"

/* Whatever is behind the command: the server is asked for devices, then for the
 * channels of the one before. */
static void put_bash(const struct ctl_command *const *all, size_t n,
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
    put_valued(options, " | ");
    fputs(")\n"
          "        return\n"
          "        ;;\n"
          "    esac\n"
          "    if [[ $cur == -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"", stdout);
    put_options(options);
    fputs("\" -- \"$cur\")\n"
          "        return\n"
          "    fi\n"
          "    # the words that are no options, nor what belongs to one\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        ", stdout);
    put_valued(options, " | ");
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
          "        mapfile -t COMPREPLY < <(compgen -W \"$(gbctl devices" IDS ")\" -- \"$cur\")\n"
          "        ;;\n"
          "    2)\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$(gbctl channels \"${word[1]}\"" IDS ")\" -- \"$cur\")\n"
          "        ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _gbctl gbctl\n", stdout);
}

static void put_zsh(const struct ctl_command *const *all, size_t n,
                    const struct option *options)
{
    fputs("#compdef gbctl\n"
          "# zsh completion for gbctl: made by gbctl --completion zsh\n"
          "_gbctl()\n"
          "{\n"
          "    local -a word\n"
          "    local i\n"
          "    case $words[CURRENT-1] in\n"
          "    --pcap | --token)\n"
          "        _files\n"
          "        return\n"
          "        ;;\n"
          "    ", stdout);
    put_valued(options, " | ");
    fputs(")\n"
          "        return\n"
          "        ;;\n"
          "    esac\n"
          "    if [[ $PREFIX == -* ]]; then\n"
          "        compadd -- ", stdout);
    put_options(options);
    fputs("\n"
          "        return\n"
          "    fi\n"
          "    # the words that are no options, nor what belongs to one\n"
          "    for ((i = 2; i < CURRENT; i++)); do\n"
          "        case $words[i] in\n"
          "        ", stdout);
    put_valued(options, " | ");
    fputs(") ((i++)) ;;\n"
          "        -*) ;;\n"
          "        *) word+=($words[i]) ;;\n"
          "        esac\n"
          "    done\n"
          "    case $#word in\n"
          "    0) compadd -- ", stdout);
    put_commands(all, n);
    fputs(" ;;\n"
          "    1) compadd -- ${(f)\"$(gbctl devices" IDS ")\"} ;;\n"
          "    2) compadd -- ${(f)\"$(gbctl channels \"$word[2]\"" IDS ")\"} ;;\n"
          "    esac\n"
          "}\n"
          "_gbctl \"$@\"\n", stdout);
}

static void put_fish(const struct ctl_command *const *all, size_t n,
                     const struct option *options)
{
    fputs("# fish completion for gbctl: made by gbctl --completion fish\n"
          "# the words that are no options, nor what belongs to one\n"
          "function __gbctl_words\n"
          "    set -l skip 0\n"
          "    for w in (commandline -opc)[2..-1]\n"
          "        if test $skip = 1\n"
          "            set skip 0\n"
          "            continue\n"
          "        end\n"
          "        switch $w\n"
          "            case ", stdout);
    put_valued(options, " ");
    fputs("\n"
          "                set skip 1\n"
          "            case '-*'\n"
          "            case '*'\n"
          "                echo $w\n"
          "        end\n"
          "    end\n"
          "end\n"
          "complete -c gbctl -f\n"
          "complete -c gbctl -n 'test (count (__gbctl_words)) = 0' -a '", stdout);
    put_commands(all, n);
    fputs("'\n"
          "complete -c gbctl -n 'test (count (__gbctl_words)) = 1'"
          " -a '(gbctl devices 2> /dev/null | string match -r \"^[0-9]+\")'\n"
          "complete -c gbctl -n 'test (count (__gbctl_words)) = 2'"
          " -a '(gbctl channels (__gbctl_words)[2] 2> /dev/null | string match -r \"^[0-9]+\")'\n",
          stdout);
    for (const struct option *o = options; o->name; o++) {
        bool file = slice_eq(slice_str(o->name), SLICE("pcap")) ||
                    slice_eq(slice_str(o->name), SLICE("token"));

        printf("complete -c gbctl -l %s%s\n", o->name,
               o->has_arg != required_argument ? "" : file ? " -rF" : " -x");
    }
}

bool ctl_complete(const char *shell, const struct ctl_command *const *all,
                  size_t n, const struct option *options)
{
    static const struct {
        const char *shell;
        void (*put)(const struct ctl_command *const *all, size_t n,
                    const struct option *options);
    } shells[] = { { "bash", put_bash }, { "zsh", put_zsh },
                   { "fish", put_fish } };

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (slice_eq(slice_str(shell), slice_str(shells[i].shell))) {
            shells[i].put(all, n, options);
            return true;
        }
    return false;
}
