#!/usr/bin/env python3
"""chinese.py - looks that every sentence that app/platform tells people is in the
tables of app/platform/chinese_*.c, with those of app/http that refuse a request and
of app/config.c that refuse a setting, and those of gbctl's own in tools/ctl/words.c, and that each row of it has its parts and is not
hidden by one before it.

Read are the formats and hints of session_fail, session_refused, voice_fail and of
the doctor's find and advise, and the faults of devices that are tolerated. Words that only stand inside others are not asked for."""
import glob
import os
import re
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
TELLS = {"catalog_failed": 3, "commands_follow": 3, "session_fail": 3, "session_refused": 5, "voice_fail": 3, "find": 2, "advise": 2, "link_close": 1, "command_explain": 1, "explain": 1, "fail": 1, "broken": 1, "refused": 4}  # and from which argument on
ANSWERS = {"http_answer_fail": 3, "fail": 1, "bad": 1, "number": 4, "conn_refuse": 2, "conn_problem": 2, "stop_legs": 2, "platform_voice_stop": 2}  # of app/http
HEAD_FAULTS = {"refuse": 3}  # of app/http/http_head.c
TOLD = r'(?:\bSLICE(?:_INIT)?\(|(?:\.|->)(?:why|detail|evidence)\s*=|[?:])((?:\s*"(?:[^"\\\n]|\\.)*")+)'  # members of a problem
FAULT = r'(?:\bfault\s*=|\breturn|\bbad_scope\s*=|\? NULL\s*:)((?:\s*"(?:[^"\\]|\\.)*")+)\s*;'  # what is wrong with a request
NOT_TOLD = ("no live media", "GET, HEAD, OPTIONS", "Authorization, Access-Token, Range, If-Range, If-None-Match")  # to people
STRING = r'"((?:[^"\\]|\\.)*)"'


def arguments(source, at):
    """Of the call whose '(' is before `at`."""
    out, begin, depth, inside = [], at, 1, False
    while depth:
        c = source[at]
        if inside:
            at += c == "\\"
            inside = c != '"'
        elif c == '"':
            inside = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 1:
            out.append(source[begin:at])
            begin = at + 1
        at += 1
    return out + [source[begin:at - 1]]


def strings(text):
    """Strings that stand side by side are one."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return ["".join(re.findall(STRING, run.group(0))) for run in re.finditer(r'(?:"(?:[^"\\]|\\.)*"\s*)+', text)]


def rows_of(body):
    return [tuple("".join(re.findall(STRING, part)) for part in m.groups())
            for m in re.finditer(r'\{((?:\s*"(?:[^"\\]|\\.)*")+),((?:\s*"(?:[^"\\]|\\.)*")+) \}', body)]


def read_ctl(path):
    """Of gbctl, with the paths that its sentences name."""
    with open(path, encoding="utf-8") as f:
        return re.sub(r"\bCTL_TOKEN_[A-Z]+\b", lambda m: f'"{m.group(0)}"', f.read())


def read_rows():
    """Of all the tables, as chinese.c goes through them."""
    rows = []
    with open("app/platform/chinese.c", encoding="utf-8") as f:
        tables = re.findall(r"\bchinese_\w+", f.read().split("tables[] = {", 1)[1].split("};", 1)[0])
    for table in tables:
        with open(f"app/platform/{table}.c", encoding="utf-8") as f:
            body = f.read().split(f"{table}[] = {{", 1)[1].split("\n};", 1)[0]
        rows += rows_of(body)
    return rows


def main():
    rows = read_rows()
    known = [re.compile(".*".join(re.escape(x) for x in en.split("%")), re.S) for en, _ in rows]
    bad = []
    for i, (en, zh) in enumerate(rows):
        if "%" not in en and any(k.fullmatch(en) for k in known[:i]):
            bad.append(f"app/platform/chinese_*.c: never found, a row before it takes: {en}")
        n = en.count("%")
        used = [int(x) for x in re.findall(r"%(.)", zh)]
        if n > 8 or any(x > n for x in used) or "%" in re.sub(r"%[1-8]", "", zh):
            bad.append(f"app/platform/chinese_*.c: parts of: {en}")
    seen = 0
    for path in [*sorted(glob.glob("app/platform/*.c")), *sorted(glob.glob("app/http/*.c")), "app/rtsp/push.c", "app/net/hook_client.c", "app/media/wav.c"]:
        with open(path, encoding="utf-8") as f:
            source = f.read()
        if path.startswith("app/http/api_") or path == "app/media/wav.c":
            for m in re.finditer(FAULT, source):
                text = "".join(re.findall(STRING, m.group(1)))
                if " " in text and re.search("[a-z]{3}", text) and text not in ("not recorded", "not sent"):  # words of the API
                    seen += 1
                    plain = re.sub(r"%[-0-9.*]*(?:ll|z)?[a-z]", "1", text)
                    if not any(k.fullmatch(plain) for k in known):
                        bad.append(f"{path}:{source.count(chr(10), 0, m.start()) + 1}: not in app/platform/chinese_*.c: {text}")
        if path.startswith("app/http/"):
            for m in re.finditer(TOLD, source):
                text = "".join(re.findall(STRING, m.group(1)))
                if len(text.split()) < 3 or text in NOT_TOLD or not re.match("[a-z]+ [a-z]", text):
                    continue
                seen += 1
                if not any(k.fullmatch(text) for k in known):
                    bad.append(f"{path}:{source.count(chr(10), 0, m.start()) + 1}: not in app/platform/chinese_*.c: {text}")
        for name, first in (HEAD_FAULTS if path == "app/http/http_head.c" else ANSWERS if path.startswith("app/http/") else TELLS).items():
            for call in re.finditer(rf"\b{name}\(", source):
                for argument in arguments(source, call.end())[first:]:
                    for text in strings(argument):
                        if " " not in text.strip("; ") or not re.search("[a-z]{3}", re.sub(r"%[^a-z]*[a-z]+", "", text)):
                            continue
                        seen += 1
                        if text in ("from it to", ", late", "%s, after %u %s"):
                            continue  # a part of another
                        plain = re.sub(r"%[-0-9.*]*(?:ll|z)?[a-z]", "1", text)
                        if not any(k.fullmatch(plain) for k in known):
                            line = source.count("\n", 0, call.start()) + 1
                            bad.append(f"{path}:{line}: not in app/platform/chinese_*.c: {text}")
    with open("app/platform/deviations.h", encoding="utf-8") as f:
        for text in re.findall(r'\bX\(\w+,\s*"([^"]+)"\)', f.read()):
            seen += 1
            if text not in [en for en, _ in rows]:
                bad.append(f"app/platform/deviations.h: not in app/platform/chinese_*.c: {text}")
    with open("app/config.c", encoding="utf-8") as f, open("app/config_kept.c", encoding="utf-8") as g:
        for text in re.findall(r'\?\s+(?:NULL\s*:\s*)?"([^" ]+ [^"]+)"', f.read() + g.read()):  # what is wrong with a setting
            if text.startswith("in the "):
                continue  # a part of another
            seen += 1
            if not any(k.fullmatch(text) for k in known):
                bad.append(f"app/config.c: not in app/platform/chinese_*.c: {text}")
    said = rows_of(read_ctl("tools/ctl/words.c"))
    for en, zh in said:
        if re.findall("%.", en) != re.findall("%.", zh):
            bad.append(f"tools/ctl/words.c: other conversions: {en}")
    helps = [[line.split("  ")[1] for text in strings(read_ctl(path).split(begin, 1)[1].split(";\n", 1)[0]) for line in text.split("\\n") if re.match("  [a-z-]", line)]
             for path, begin in (("tools/gbctl.c", "usage[] ="), ("tools/ctl/help_zh.c", "ctl_help_zh[] ="))]
    if helps[0] != helps[1] or len(helps[0]) < 50:
        bad.append(f"tools/ctl/help_zh.c: other commands than in English: {set(helps[0]) ^ set(helps[1])}")
    for path in ("app/main.c", "tools/cam/options.c"):  # options, in their order
        both = [re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(strings(read_ctl(path).split(begin, 1)[1].split(";\n", 1)[0])))
                for begin in ("usage[] =", "usage_zh[] =")]
        both = [list(dict.fromkeys(b)) for b in both]
        if both[0] != both[1] or len(both[0]) < 5:
            bad.append(f"{path}: other options in Chinese than in English: {set(both[0]) ^ set(both[1])}")
    for path in ["tools/gbctl.c", *sorted(glob.glob("tools/ctl/*.c"))]:
        source = read_ctl(path)
        for call in re.finditer(r"\b(ctl_die|ctl_die_hint|ctl_hint|ctl_words)\(", source):
            for argument in arguments(source, call.end()):
                for text in strings(argument):
                    if " " not in text.strip() or not re.search("[a-z]{3}", text):
                        continue
                    seen += 1
                    if text not in [en for en, _ in said]:
                        bad.append(f"{path}:{source.count(chr(10), 0, call.start()) + 1}: not in tools/ctl/words.c: {text}")
    print("\n".join(bad) or f"chinese: {seen} sentences are in {len(rows)} rows")
    return 1 if bad or seen < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
