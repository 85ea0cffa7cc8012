"""test/e2e/foreign_signalling.py - tests of registration, keepalives, catalogues
and SIP over TCP that foreign.py runs."""
import contextlib
import json
import re
import time

from foreign_bed import camera, case, start, stop, test
from foreign_device import (
    REALM, Call, Device, alphabetical, catalog, compact_names, digest, folded, item, lf_only, lower_names,
    no_space_after_colon, plain, rand, space_before_colon, xml)
from rig import SERVER_ID, Failed, expect, wait_for


def registers(d, edition=None, **kw):
    with camera(d, channels=False, register=kw, edition=edition) as dev:
        got = wait_for("online", lambda: [x for x in d.devices() if x["id"] == dev.id and x["online"]])[0]
        expect(got["address"] == dev.at, f"address {got['address']}, we are {dev.at}")
        expect(dev.keepalive().status == 200, "keepalive")


def drop(*names):
    return lambda h: [x for x in h if x[0] not in names]


def subst(name, fn):
    return lambda h: [(n, fn(v) if n == name else v) for n, v in h]


def bare_addresses(h):
    return [(n, re.sub(r"[<>]", "", v) if n in ("From", "To", "Contact") else v) for n, v in h]


def with_route(h):
    return h + [("Route", f"<sip:{re.search(r'sip:(.*?)@', dict(h)['To']).group(1)}@127.0.0.1:5060;lr>")]


def two_vias(h):
    return h[:1] + [("Via", "SIP/2.0/UDP 10.1.1.1:5060;branch=z9hG4bK77")] + h[1:]


case("register_plain", registers)
case("register_lower_case_names", registers, render=lower_names)
case("register_compact_names", registers, render=compact_names)
case("register_lf_only", registers, render=lf_only)
case("register_folded", registers, render=folded)
case("register_space_before_colon", registers, render=space_before_colon)
case("register_no_space_after_colon", registers, render=no_space_after_colon)
case("register_bare_addresses", registers, edit=bare_addresses)
case("register_alphabetical_route", registers, render=alphabetical, edit=with_route)
case("register_expires_in_contact", registers, expires=None, edit=subst("Contact", lambda v: v + ";expires=3600"))
case("register_no_expires", registers, expires=None)
case("register_no_max_forwards", registers, edit=drop("Max-Forwards", "Content-Length", "User-Agent"))
case("register_qop", registers, auth=dict(qop=True))
case("register_qop_quoted", registers, auth=dict(qop=True, quoted=True, commas=","))
case("register_md5_sess", registers, auth=dict(sess=True, qop=True))
case("register_uri_differs", registers, uri=f"sip:{SERVER_ID}@127.0.0.1:5060", digest_uri="sip:3402000000")
case("register_two_vias", registers, edit=two_vias)
case("register_host_127", registers, host="127.0.0.1:80")
case("register_sip_instance", registers,
     edit=subst("Contact", lambda v: v[:-1] + ';transport=udp>;+sip.instance="<urn:uuid:c781fa55-35ba-11ee-895d-0826ae3b6a2b>"'))
case("register_lower_case_digest", registers, edit=subst("Authorization", lambda v: v.replace("Digest ", "digest  ")))
case("register_upper_case_response", registers,
     edit=subst("Authorization", lambda v: re.sub(r'response="(\w+)"', lambda m: f'response="{m.group(1).upper()}"', v)))
case("register_contact_without_user", registers, edit=subst("Contact", lambda v: re.sub(r"sip:\d+@", "sip:", v)))
case("register_no_contact", registers, edit=drop("Contact"))
case("register_display_names", registers, edit=lambda h: [(n, '"摄像机 <1>" '.encode().decode("latin-1") + v if n in ("From", "To") else v) for n, v in h])
case("register_edition_2022", registers, edition="3.0")


@test
def register_no_rport(d):
    for via in (":5060;branch=z9hG4bK.a.b{0}", ";branch={0}", ":9;wlsscid=1;branch=1231335{0}"):
        dev = Device(d)
        try:
            a = dev.ask(dev.register_raw(via=f"SIP/2.0/UDP {dev.ip}" + via.format(rand())))
            expect(a.status == 401, a.start)
            auth = digest(a.get("WWW-Authenticate"), dev.id, dev.password, "sip:x")
            a = dev.ask(dev.register_raw(auth, via=f"sip/2.0/udp {dev.ip}" + via.format(rand())))
            expect(a.status == 200, a.start)
        finally:
            dev.close()


@test
def register_answer_is_complete(d):
    with camera(d, channels=False, edition="3.0") as dev:
        a = dev.register()
        expect(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?", a.get("Date")), f"Date {a.get('Date')!r}")
        t = time.mktime(time.strptime(a.get("Date")[:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())
        expect(abs(t - 8 * 3600) < 5, f"Date is {t} s from UTC")
        expect(re.match(rf"<sip:{dev.id}@{re.escape(dev.at)}>", a.get("Contact")), f"Contact {a.get('Contact')!r}")
        expect(a.get("Expires") == "3600" or ";expires=3600" in a.get("Contact"), f"Expires {a.get('Expires')!r}")
        expect(re.fullmatch(r"\d\.\d", a.get("X-GB-Ver")), f"X-GB-Ver {a.get('X-GB-Ver')!r}")
        via = a.get("Via")
        expect(f";rport={dev.port}" in via and f";received={dev.ip}" in via, f"Via {via!r}")


@test
def register_expires_clamped(d):
    with camera(d, channels=False) as dev:
        for asked in (60, 30, 0x7fffffff, 4294967295, 99999999999):
            a = dev.register(expires=asked)
            granted = a.get("Expires")
            if asked < 60 and a.status == 423:
                expect(a.get("Min-Expires"), "423 without Min-Expires")
                continue
            expect(a.status == 200 and granted.isdigit() and 30 <= int(granted) <= 7 * 86400, f"{asked}: {a.start} {granted}")


@test
def register_constant_cseq_after_reboot(d):
    with camera(d, channels=False, register=dict(cseq=1)) as dev:
        for _ in range(2):
            a = dev.register(cseq=1)
            expect(a.status == 200, f"second life: {a.start}")
        a = dev.register(cseq=7)
        a = dev.register(cseq=3)
        expect(a.status == 200, f"going down: {a.start}")


@test
def register_refresh_with_old_authorization(d):
    with camera(d, channels=False) as dev:
        a = dev.ask(dev.register_raw(dev.authorization))
        expect(a.status == 200, f"old Authorization: {a.start}")
        n = len([m for m in dev.requests if b"<CmdType>Catalog" in m.body])
        time.sleep(0.5)
        # qop with the same nc again
        a = dev.register(auth=dict(qop=True))
        a = dev.ask(dev.register_raw(dev.authorization))
        expect(a.status in (200, 401), f"same nc: {a.start}")
        if a.status == 401:
            expect("stale=true" in a.get("WWW-Authenticate").replace('"', "").lower(), "401 without stale")
        expect(n <= 1, f"{n} catalog queries")


@test
def register_retransmitted(d):
    with camera(d, channels=False) as dev:
        raw = dev.register_raw(dev.authorization)
        a = dev.ask(raw)
        b = dev.ask(raw)
        expect(a.raw == b.raw, f"two answers: {a.raw!r} {b.raw!r}")


@test
def register_unknown_nonce(d):
    dev = Device(d)
    try:
        a = dev.ask(dev.register_raw())
        old = digest(a.get("WWW-Authenticate"), dev.id, dev.password, "sip:x", stale_nonce="6fe9ba44a76be22a")
        a = dev.ask(dev.register_raw(old))
        expect(a.status == 401, f"unknown nonce: {a.start}")
        expect(dev.register().status == 200, "after it")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def register_wrong_password(d):
    dev = Device(d)
    try:
        for _ in range(2):
            a = dev.register(password="not it")
            expect(a.status in (401, 403), a.start)
        expect(not [x for x in d.devices() if x["id"] == dev.id], "listed as device")
        expect(dev.keepalive().status in (401, 403), "keepalive of a stranger")
        a = d.call("GET", f"/api/v1/devices/{dev.id}")
        expect(a.status == 404, f"GET device: {a.status}")
        expect(dev.register().status == 200, "right password afterwards")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def register_without_authorization(d):
    dev = Device(d)
    try:
        for _ in range(3):
            a = dev.ask(dev.register_raw())
            expect(a.status == 401, a.start)
        expect(not [x for x in d.devices() if x["id"] == dev.id], "listed as device")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def register_basic_and_capability(d):
    dev = Device(d)
    try:
        for value in ("Basic YWJjOmRlZg==", 'Capability algorithm="A:RSA/ECB/PKCS1;H:SHA1;S:DES/ECB/PKCS5"', "Digest", "Digest ,,,"):
            a = dev.ask(dev.register_raw(value))
            expect(a.status in (400, 401), f"{value}: {a.start}")
        expect(dev.register().status == 200, "afterwards")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def unregister(d):
    with camera(d, channels=False) as dev:
        a = dev.register(expires=0)
        expect(a.status == 200 and a.get("Expires", "0") == "0", f"{a.start} {a.get('Expires')}")
        wait_for("offline", lambda: not d.get(f"/api/v1/devices/{dev.id}")["online"], 3)
        expect(dev.keepalive().status in (401, 403), "keepalive after it")
        expect(dev.register().status == 200, "back")
        a = dev.ask(dev.register_raw(expires=None, edit=subst("Contact", lambda v: "*")))
        expect(a.status == 400, f"Contact * without Expires: {a.start}")  # RFC 3261 §10.3
        a = dev.register(expires=0, edit=subst("Contact", lambda v: "*"))
        expect(a.status == 200, f"Contact *: {a.start}")
        wait_for("offline", lambda: not d.get(f"/api/v1/devices/{dev.id}")["online"], 3)


@test
def register_moves(d):
    with camera(d) as dev:
        first = dev.reopen()
        expect(dev.register().status == 200, "new port")
        dev.call = Call()
        start(d, dev)
        expect(dev.wait_request("INVITE"), "INVITE")
        stop(d, dev)
        second = dev.reopen("127.0.0.2")
        expect(dev.register().status == 200, "new address")
        wait_for("address", lambda: d.get(f"/api/v1/devices/{dev.id}")["address"] == dev.at, 3)
        # the old place is a stranger now: its answer comes there, if any
        first.close()
        second.settimeout(2)
        h = dev.headers("MESSAGE", SERVER_ID) + [("Content-Type", "Application/MANSCDP+xml")]
        body = dev.keepalive_body()
        got = []
        with contextlib.suppress(Failed):
            got = [dev.ask(plain(f"MESSAGE sip:{SERVER_ID}@{REALM} SIP/2.0", h + [("Content-Length", str(len(body)))], body),
                           sock=second, repeat=False, timeout=1.5)]
        expect(all(m.status in (401, 403) for m in got), f"old address: {got and got[0].start}")
        start(d, dev)
        stop(d, dev)


@test
def two_devices_behind_one_address(d):
    with camera(d, channels=False) as dev:
        other = Device(d)
        other_sock = dev.sock
        try:
            first = (dev.id, dev.channel, dev.callid)
            dev.id, dev.channel, dev.callid = other.id, other.channel, other.callid
            expect(dev.register().status == 200, "second id")
            expect(dev.keepalive().status == 200, "second id's keepalive")
            dev.id, dev.channel, dev.callid = first
            expect(dev.keepalive().status == 200, "first id's keepalive")
            expect({dev.id, other.id} <= {x["id"] for x in d.online()}, "both online")
        finally:
            other.close()
        del other_sock


# ---------------------------------------------------------------- keepalive

def keepalive(d, status="<Status>OK</Status>\r\n", body=None, **kw):
    with camera(d, channels=False) as dev:
        before = d.get(f"/api/v1/devices/{dev.id}")["keepalive_at"]
        data = dev.keepalive_body(status)
        if body:
            data = body(data)
        a = dev.message(data, **kw)
        expect(a.status == 200 and not a.body, f"{a.start}")
        got = wait_for("keepalive_at", lambda: d.get(f"/api/v1/devices/{dev.id}")["keepalive_at"], 3)
        expect(got != before, f"keepalive_at {got}")


case("keepalive_plain", keepalive)
case("keepalive_no_status", keepalive, status="")
case("keepalive_status_in_info", keepalive, status="<Info>\r\n<Status>OK</Status>\r\n</Info>\r\n")
case("keepalive_empty_info", keepalive, status="<Status>OK</Status>\r\n<Info/>\r\n")
case("keepalive_faulty_list", keepalive, status="<Status>ERROR</Status><Info><DeviceID>34020000001310000003</DeviceID></Info>")
case("keepalive_length_too_large", keepalive, length=5000)
case("keepalive_length_too_small", keepalive, length=100)
case("keepalive_length_missing", keepalive, drop=("Content-Length",))
case("keepalive_length_padded", keepalive, render=lambda s, h, b: plain(s, h, b).replace(b"Content-Length: ", b"Content-Length:   0"))
case("keepalive_no_content_type", keepalive, drop=("Content-Type",))
case("keepalive_text_xml", keepalive, ctype="text/xml;charset=utf-8")
case("keepalive_odd_content_type", keepalive, ctype="APPLICATION/MANSCDP")
case("keepalive_lf_body", keepalive, body=lambda b: b.replace(b"\r\n", b"\n"))
case("keepalive_no_declaration", keepalive, body=lambda b: b.partition(b"\r\n")[2])
case("keepalive_odd_declaration", keepalive, body=lambda b: b.replace(b'"GB2312"?', b'"GB2312" standalone="yes" ?'))
case("keepalive_blanks_before", keepalive, body=lambda b: b"\r\n  \t" + b)
case("keepalive_bom", keepalive, body=lambda b: b"\xef\xbb\xbf" + b)
case("keepalive_trailing_nul", keepalive, body=lambda b: b + b"\0\0\0\r\n")
case("keepalive_trailing_garbage", keepalive, body=lambda b: b + b"garbage < & \xff\xfe")
case("keepalive_blanks_in_values", keepalive, body=lambda b: re.sub(rb">([^<\s]+)<", rb"> \1 <", b))
case("keepalive_lower_names", keepalive, render=lower_names)
case("keepalive_compact", keepalive, render=compact_names)
case("keepalive_lf_head", keepalive, render=lf_only)
case("keepalive_attributes", keepalive,
     body=lambda b: re.sub(rb"<Notify>\s*<CmdType>(\w+)</CmdType>\s*<SN>(\d+)</SN>", rb'<Notify CmdType="\1" SN="\2">', b))
case("keepalive_two_roots", keepalive, body=lambda b: b + b)


@test
def keepalive_of_a_stranger(d):
    dev = Device(d)
    try:
        a = dev.keepalive()
        expect(a.status == 403, a.start)
        expect(not [x for x in d.devices() if x["id"] == dev.id], "listed")
    finally:
        dev.close()


@test
def keepalive_repeated(d):
    with camera(d, channels=False) as dev:
        body = dev.keepalive_body()
        h = dev.headers("MESSAGE", SERVER_ID, cseq=20)
        a, b = dev.message(body, headers=h), dev.message(body, headers=h)
        expect(a.raw == b.raw and a.status == 200, f"two answers {a.raw!r} {b.raw!r}")
        for _ in range(5):
            expect(dev.keepalive().status == 200, "burst with one CSeq")


@test
def keepalive_from_another_port(d):
    with camera(d) as dev:
        old = dev.reopen()
        expect(dev.keepalive().status == 200, "new port, same address")
        old.close()  # the mapping is gone: requests must find the new one
        wait_for("new address", lambda: d.get(f"/api/v1/devices/{dev.id}")["address"] == dev.at, 6)
        start(d, dev)
        stop(d, dev)


@test
def keepalive_from_another_address(d):
    with camera(d, channels=False) as dev:
        ip = dev.ip
        dev.reopen("127.0.0.3")
        a = dev.keepalive()
        expect(a.status in (401, 403), a.start)
        expect(d.get(f"/api/v1/devices/{dev.id}")["address"].startswith(ip), "address moved")


# ---------------------------------------------------------------- catalog

NAMES = ["东门", "西门 2号", "南门&北门", "Lobby <1>", "停车场-出口", "会议室", "楼顶", "仓库"]


def listing(dev, n):
    return [(f"34020000001310{int(dev.id[-6:]) * 600 % 1000000 + i:06d}", f"{NAMES[i % 8] if i % 8 not in (2, 3) else '走廊'} {i}")
            for i in range(n)]


def catalogs(d, n, bodies, want=None, limit=12, state=None, edition=None, tcp=False):
    """bodies(dev, sn, items) gives the messages; names must be those of want."""
    dev = Device(d, tcp, edition=edition)
    try:
        items = listing(dev, n)
        dev.channel = items[0][0] if items else dev.channel
        dev.commands["Catalog"] = lambda dev, sn, text: bodies(dev, sn, items)
        expect(dev.register().status == 200, "REGISTER")
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wanted = dict(items if want is None else want(items))
        got = {}

        def complete():
            nonlocal got
            got = {}
            cursor = ""
            while True:
                page = d.get(f"/api/v1/devices/{dev.id}/channels?limit=200" + cursor)
                got.update({c["id"]: c["name"] for c in page["items"]})
                if not page["next"]:
                    break
                cursor = f"&cursor={page['next']}"
            st = d.get(f"/api/v1/devices/{dev.id}")["catalog"]
            return got == wanted and (state is None or st == state)
        try:
            wait_for("channels", complete, limit)
        except Failed:
            x = d.get(f"/api/v1/devices/{dev.id}")
            raise Failed(f"{len(got)} of {len(wanted)} channels, catalog {x['catalog']} {x.get('catalog_have')}/{x.get('catalog_sum')}, "
                         f"wrong: {[(k, got.get(k), v) for k, v in wanted.items() if got.get(k) != v][:3]}") from None
        expect(not dev.lint, dev.lint[:3])
    finally:
        dev.close()


def pages(size, encoding="gb2312", declared="GB2312", order=None, total=None, repeat=1, **more):
    def make(dev, sn, items):
        out = [xml(catalog(dev, sn, [item(i, n, dev.id, **more) for i, n in items[k:k + size]], len(items) if total is None else total),
                   encoding, declared) for k in range(0, len(items), size)]
        if order:
            out = order(out)
        return [x for x in out for _ in range(repeat)]
    return make


case("catalog_gb2312", catalogs, 4, pages(4), state="complete")
case("catalog_utf8", catalogs, 4, pages(4, "utf-8", "UTF-8"), state="complete")
case("catalog_utf8_as_gb2312", catalogs, 4, pages(4, "utf-8", "GB2312"), state="complete")
case("catalog_gbk_as_utf8", catalogs, 4, pages(4, "gbk", "UTF-8"), state="complete")
case("catalog_gb18030", catalogs, 4, pages(4, "gb18030", "GB18030"), state="complete", edition="3.0")
case("catalog_one_a_message", catalogs, 8, pages(1), state="complete")
case("catalog_four_a_message", catalogs, 12, pages(4), state="complete")
case("catalog_out_of_order", catalogs, 12, pages(2, order=lambda o: o[::-1]), state="complete")
case("catalog_every_message_twice", catalogs, 6, pages(2, repeat=2), state="complete")
case("catalog_sum_too_high", catalogs, 4, pages(2, total=9), limit=20)
case("catalog_sum_too_low", catalogs, 6, pages(2, total=2), limit=20)
case("catalog_sum_zero", catalogs, 4, pages(2, total=0), limit=20)
case("catalog_500_channels", catalogs, 500, pages(4), limit=20, state="complete")
case("catalog_500_channels_tcp", catalogs, 500, pages(100), limit=20, state="complete", tcp=True)
case("catalog_large_datagrams", catalogs, 300, pages(100), limit=20, state="complete")
case("catalog_missing_page", catalogs, 6, pages(2, order=lambda o: o[:2]), want=lambda items: items[:4], limit=22, state="partial")
case("catalog_empty", catalogs, 0, lambda dev, sn, items: [xml(
    f"<Response>\r\n<CmdType>Catalog</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n<SumNum>0</SumNum>\r\n</Response>\r\n")],
     state="complete")


def edited(fn, size=4, encoding="gb2312"):
    def make(dev, sn, items):
        return [fn(b) for b in pages(size, encoding)(dev, sn, items)]
    return make


case("catalog_unknown_elements", catalogs, 4, pages(4, StreamNum="2", Event="ADD", Firmware="x", ChannelID="7",
                                                 Info="<PTZType>1</PTZType><Vendor><Deep a='1'>x</Deep></Vendor>"), state="complete")
case("catalog_cdata", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?)</Name>", rb"<Name><![CDATA[\1]]></Name>", b)))
case("catalog_namespaces", catalogs, 4, edited(lambda b: re.sub(
    rb"<(/?)([A-Z])", rb"<\1gb:\2", b).replace(b"<gb:Response>", b'<gb:Response xmlns:gb="urn:x">')))
case("catalog_comments", catalogs, 4, edited(lambda b: b.replace(b"<Item>", b"<!-- an item & more --><Item>")))
case("catalog_unescaped_ampersand", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?) (\d+)</Name>", rb"<Name>\1 & \2</Name>", b)),
     want=lambda items: [(i, " & ".join(n.rsplit(" ", 1))) for i, n in items])
case("catalog_unescaped_less_than", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?) (\d+)</Name>", rb"<Name>\1 < \2</Name>", b)),
     want=lambda items: [(i, " < ".join(n.rsplit(" ", 1))) for i, n in items])
case("catalog_escaped", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?) (\d+)</Name>", rb"<Name>\1&amp;&lt;&#65;&#x4e1c;\2</Name>", b)),
     want=lambda items: [(i, "&<A东".join(n.rsplit(" ", 1))) for i, n in items])
case("catalog_num_wrong", catalogs, 4, edited(lambda b: b.replace(b'Num="4"', b'num="1"')), state="complete")
case("catalog_no_num", catalogs, 4, edited(lambda b: b.replace(b' Num="4"', b'')), state="complete")
case("catalog_no_parent", catalogs, 4, pages(4, ParentID=None, Parental="65535", Status=""), state="complete")
case("catalog_empty_elements", catalogs, 4, pages(4, Password="", Block="", Longitude="", Latitude="", Port="", IPAddress=""))
case("catalog_status_online", catalogs, 4, pages(4, Status="ONLINE", CivilCode="CivilCode", Owner="Owner", Address="Address"))
case("catalog_one_line", catalogs, 4, edited(lambda b: b.replace(b"\r\n", b"")), state="complete")
case("catalog_indented_lf", catalogs, 4, edited(lambda b: b.replace(b"\r\n", b"\n    ")), state="complete")
case("catalog_control_characters", catalogs, 4, edited(lambda b: b.replace(b"</Name>", b"\0\x01</Name>")), state="complete")
case("catalog_half_character", catalogs, 4, edited(lambda b: b.replace(b"</Name>", b"\xb6</Name>")))
case("catalog_rtsp_password", catalogs, 4, pages(4, IPAddress="rtsp://admin:secret&1@10.0.0.1/x?a=1&b=2", Password="secret"))
case("catalog_zero_padded_ids", catalogs, 4, edited(lambda b: re.sub(rb"<Item>\r\n<DeviceID>(\d+)<", rb"<Item>\r\n<DeviceID> \1 <", b)))
case("catalog_self_item", catalogs, 3, lambda dev, sn, items: [xml(catalog(
    dev, sn, [item(dev.id, "NVR 本机", SERVER_ID, Parental="1")] + [item(i, n, dev.id) for i, n in items], 4))],
     want=lambda items: items)
case("catalog_tree", catalogs, 3, lambda dev, sn, items: [xml(catalog(
    dev, sn, ["<Item><DeviceID>340200</DeviceID><Name>区</Name></Item>",
              item("34020000002150000001", "组", dev.id), item("34020000002160000001", "机构", None, BusinessGroupID="34020000002150000001")]
    + [item(i, n, f"{dev.id}/34020000002160000001") for i, n in items], 6))],
     want=lambda items: items + [("340200", "区"), ("34020000002150000001", "组"), ("34020000002160000001", "机构")], state="complete")


case("catalog_sn_zero", catalogs, 4, lambda dev, sn, items: pages(4)(dev, 0, items), limit=16)
case("catalog_other_sn", catalogs, 4, lambda dev, sn, items: pages(2)(dev, int(sn) + 77, items), limit=16)
case("catalog_device_id_of_the_platform", catalogs, 4, edited(lambda b: re.sub(rb"(</SN>\s*<DeviceID>)\d+", rb"\g<1>" + SERVER_ID.encode(), b)))
case("catalog_attributes", catalogs, 4,
     edited(lambda b: re.sub(rb"<Response>\s*<CmdType>(\w+)</CmdType>\s*<SN>(\d+)</SN>", rb'<Response CmdType="\1" SN="\2">', b)))
case("catalog_item_without_id", catalogs, 4, edited(lambda b: b.replace(b"</DeviceList>", b"<Item><Name>x</Name></Item></DeviceList>")))
case("catalog_duplicate_ids", catalogs, 4, lambda dev, sn, items: pages(5, total=5)(dev, sn, items + [(items[0][0], "二")]), limit=20)
case("catalog_one_message_tcp", catalogs, 1000, pages(1000), limit=20, state="complete", tcp=True)
case("catalog_no_content_type", catalogs, 4, pages(4))
case("catalog_order_of_elements", catalogs, 4, edited(lambda b: re.sub(
    rb"(<DeviceID>\d+</DeviceID>)\r\n(<Name>.*?</Name>)\r\n(.*?)</Item>", rb"\3\2\r\n\1</Item>", b, flags=re.S)), state="complete")
case("catalog_flat_list", catalogs, 4, edited(lambda b: b.replace(b"<DeviceList", b"<Devicelist").replace(b"</DeviceList", b"</Devicelist")))
case("catalog_truncated_end", catalogs, 4, edited(lambda b: b[:b.rindex(b"</DeviceList>")]))


@test
def catalog_rereads(d):
    """A channel that is gone from a complete catalogue disappears, a new name arrives."""
    with camera(d) as dev:
        items = listing(dev, 3)  # what is gone goes when no straggler is awaited any more
        dev.commands["Catalog"] = lambda dev, sn, _: pages(1)(dev, sn, items)
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("new list", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == dict(items), 16)
        items = [(items[0][0], "新名字"), items[2]]
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("shorter list", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == dict(items), 16)


@test
def device_info(d):
    with camera(d) as dev:
        got = wait_for("DeviceInfo", lambda: [x for x in [d.get(f"/api/v1/devices/{dev.id}")] if x["manufacturer"] == "外厂"], 10)[0]
        expect((got["name"], got["model"], got["firmware"]) == ("异国设备", "F-1", "V9.9"), got)


@test
def alarm(d):
    with camera(d) as dev:
        for sn, way in ((9, plain), (10, lf_only)):
            body = xml(f"<Notify>\r\n<CmdType>Alarm</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
                       "<AlarmPriority>1</AlarmPriority>\r\n<AlarmMethod>5</AlarmMethod>\r\n"
                       f"<AlarmTime>2023-08-09T07:38:{sn:02d}</AlarmTime>\r\n<AlarmDescription>移动侦测 {sn}</AlarmDescription>\r\n"
                       "<Info><AlarmType>2</AlarmType><AlarmTypeParam><EventType>1</EventType></AlarmTypeParam></Info>\r\n"
                       "<AlarmInfo>11</AlarmInfo>\r\n</Notify>\r\n")
            expect(dev.message(body, render=way).status == 200, "alarm")
            m = dev.wait_request("MESSAGE", lambda m: b"<Response>" in m.body and f"<SN>{sn}</SN>".encode() in m.body)
            text = m.body.decode("gb18030")
            expect(re.search(rf"<Response>\s*<CmdType>Alarm</CmdType>\s*<SN>{sn}</SN>\s*<DeviceID>{dev.channel}</DeviceID>\s*"
                             r"<Result>OK</Result>\s*</Response>", text), text)
        wait_for("alarm in the API", lambda: [a for a in d.get("/api/v1/alarms?limit=200")["items"] if a["device"] == dev.id
                                              and "移动侦测" in json.dumps(a, ensure_ascii=False)], 3)


@test
def unknown_requests(d):
    """OPTIONS, INFO, a strange method, a strange command, broken XML."""
    with camera(d, channels=False) as dev:
        def ask(method, extra=(), body=b""):
            h = dev.headers(method, SERVER_ID, extra=[*extra, ("Content-Length", str(len(body)))])
            return dev.ask(plain(f"{method} sip:{SERVER_ID}@{dev.server} SIP/2.0", h, body))
        expect(ask("OPTIONS").status == 200, "OPTIONS")
        expect(ask("FOO").status in (405, 501), "FOO")
        expect(ask("INFO").status in (481, 405, 200), "INFO")
        a = ask("BYE")
        expect(a.status in (200, 481), f"BYE: {a.start}")
        t = ("Content-Type", "Application/MANSCDP+xml")
        for body in (b"<Notify><CmdType>NoSuchThing</CmdType><SN>1</SN></Notify>", b"<Notify><CmdType>", b"", b"hello", b"<a/>"):
            a = ask("MESSAGE", [t], body)
            expect(a.status in (200, 400, 415), f"{body!r}: {a.start}")
        a = ask("NOTIFY", [("Event", "presence"), ("Subscription-State", "active"), t], b"<Notify/>")
        expect(a.status in (200, 400, 481, 489), f"NOTIFY: {a.start}")
        expect(ask("SUBSCRIBE", [("Event", "presence"), ("Expires", "100")]).status >= 200, "SUBSCRIBE")
        expect(dev.keepalive().status == 200, "keepalive")


# ---------------------------------------------------------------- SIP over TCP

@test
def sip_tcp_cut_at_every_byte(d):
    with camera(d, tcp=True, channels=False) as dev:
        dev.cut = True
        expect(dev.keepalive().status == 200, "keepalive")
        expect(dev.register().status == 200, "REGISTER")
        expect(dev.message(dev.keepalive_body(), render=lf_only).status == 200, "LF head")
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("channel", lambda: d.channels(dev.id), 12)


def raw_keepalive(dev, more=0):
    """One whose Content-Length is so much more than its body has; its Call-ID."""
    body, h = dev.keepalive_body(), dev.headers("MESSAGE", SERVER_ID, cseq=20)
    h += [("Content-Type", "Application/MANSCDP+xml"), ("Content-Length", str(len(body) + more))]
    return plain(f"MESSAGE sip:{SERVER_ID}@{REALM} SIP/2.0", h, body), dict(h)["Call-ID"]


@test
def sip_tcp_length_too_large(d):
    """Nothing comes behind it, the next one does, or several of them at once; none is lost."""
    with camera(d, tcp=True, channels=False) as dev:
        for more in (1, 12, 4000):
            body = dev.keepalive_body()
            expect(dev.message(body, length=len(body) + more).status == 200, f"{more} bytes too many")
        sent = [raw_keepalive(dev, more) for more in (12, 3, 300, 0, 1)]
        dev.send(b"".join(raw for raw, _ in sent))
        for _, i in sent:
            expect(dev.wait("answer", lambda m, i=i: m.get("Call-ID") == i).status == 200, "keepalive")
        expect(dev.keepalive().status == 200, "behind them")


@test
def sip_tcp_several_messages_a_segment(d):
    with camera(d, tcp=True, channels=False) as dev:
        raws, ids = zip(*(raw_keepalive(dev) for _ in range(5)))
        dev.send(b"\r\n\r\n" + b"\r\n".join(raws) + b"\r\n\r\n\r\n")
        for i in ids:
            expect(dev.wait("answer", lambda m, i=i: m.get("Call-ID") == i).status == 200, "keepalive")
        # half of one, the rest with the next
        more = raws[0].replace(ids[0].encode(), b"half@x") + raws[1].replace(ids[1].encode(), b"other@x")
        dev.send(more[:300])
        time.sleep(0.1)
        dev.send(more[300:])
        for i in ("half@x", "other@x"):
            expect(dev.wait("answer", lambda m, i=i: m.get("Call-ID") == i).status == 200, "keepalive")


@test
def sip_tcp_crlf_keepalives(d):
    with camera(d, tcp=True, channels=False) as dev:
        for _ in range(20):
            dev.send(b"\r\n\r\n")
        dev.send(b"\r\n")
        expect(dev.keepalive().status == 200, "after CRLF")
        expect(dev.message(dev.keepalive_body(), drop=("Content-Length",)).status == 200, "without Content-Length")
        expect(dev.keepalive().status == 200, "after it")


@test
def sip_tcp_lost_connection(d):
    with camera(d, tcp=True) as dev:
        dev.lose()
        wait_for("offline", lambda: not d.get(f"/api/v1/devices/{dev.id}")["online"], 8)
        dev.open()
        expect(dev.register().status == 200, "new connection")
        start(d, dev, "tcp-passive")
        stop(d, dev)


@test
def sip_tcp_register_anew_keeps_working(d):
    with camera(d, tcp=True) as dev:
        old = dev.reopen()
        expect(dev.register().status == 200, "second connection")
        start(d, dev, "udp")
        stop(d, dev)
        old.close()
        expect(dev.keepalive().status == 200, "keepalive")
        expect(d.get(f"/api/v1/devices/{dev.id}")["online"], "offline when the old connection went")
