/* app/platform/chinese: whole sentences, with their parts */
#include "app/platform/chinese.h"
#include "test/support.h"

static const struct {
    struct slice english;
    const char *chinese; /* NULL: there are no words */
} cases[] = {
    { S("it plays"), "正在播放" },
    { S("it plays "), NULL },
    { S("it play"), NULL },
    { S(""), NULL },
    { S("%"), NULL },
    { S("the device went offline: keepalive lost"), "设备离线：心跳丢失" },
    { S("the device went offline: bad luck"), "设备离线：bad luck" },
    { S("the device went offline: keepalive lost; it is waited for, 30 s at "
        "most"),
      "设备离线：心跳丢失；正在等待它恢复，最多 30 秒" },
    { S("no answer to the INVITE in 5.0 s; it went to 192.0.2.7:5060 over UDP, "
        "nothing came back; last sign of life 12.3 s ago"),
      "INVITE 在 5.0 秒内没有应答；经 UDP 发往 192.0.2.7:5060，没有任何回应；"
      "最近一次消息在 12.3 秒前" },
    { S("no answer to the INVITE in 5.0 s, sent again after it was held for "
        "the device's NAT; it went to 192.0.2.7:5060 over UDP, nothing came "
        "back; last sign of life 12.3 s ago"),
      "INVITE 在 5.0 秒内没有应答（因设备的 NAT 等待后重发过）；经 UDP 发往 "
      "192.0.2.7:5060，没有任何回应；最近一次消息在 12.3 秒前" },
    { S("the device answered 200, but no TCP connection from it to 192.0.2.1:9 "
        "came up in 5.0 s; over UDP nothing came before"),
      "设备应答了 200，但 5.0 秒内没有从设备到 192.0.2.1:9 的 TCP 连接；"
      "此前经 UDP 也没有收到媒体" },
    { S("200 after 12 ms; media over TCP (we listen) to our port 30004, SSRC 7"),
      "12 毫秒后应答 200；媒体经 TCP（平台监听） 发往本机端口 30004，SSRC 7" },
    { S("sped: allowed are action, speed"), "sped：只允许 action, speed" },
    { S("TLS certificate of hooks.example: certificate has expired"),
      "hooks.example 的 TLS 证书：证书已过期" },
    { S("the name cannot be looked up: no name server answers"),
      "域名无法解析：域名服务器没有应答" },
    { S("status 401"), "应答状态码 401" },
    /* what the server says */
    { S("bad Content-Length"), "Content-Length 不正确" },
    { S("no answer came in time"), "未能在时限内得到回答" },
    { S("a configured limit is reached"), "已达到配置的上限" },
    { S("mode is auto, broadcast or talk"),
      "mode 应为 auto、broadcast 或 talk" },
    { S("expected is a page of https://nvr.example, the http.public_url, or of "
        "the address it was sent to"),
      "应来自 https://nvr.example（即 http.public_url）的页面，或请求所发往地址的页面" },
    { S("expected is a page of http://nvr:28181"),
      "应来自 http://nvr:28181 的页面" },
    { S("to is DEVICE/CHANNEL, several with commas between"),
      "to 应为 设备/通道，多个以逗号分隔" },
    { S("ada speaks to this device"), "ada 正在对该设备讲话" },
    { S("nobody speaks to this device"), "没有人在对该设备讲话" },
    { S("digest is a list of md5, sm3, each also with -sess"),
      "digest 为列表，可含 md5, sm3，均可加 -sess" },
    { S("PTZCmd: wrong sum"), "PTZCmd：校验和不正确" },
    { S("Info.AlarmMethod: methods 0 to 7 are wanted, several joined by '/'"),
      "Info.AlarmMethod：应为方式 0 至 7，多个以“/”连接" },
    { S("ConfigType is missing"), "缺少 ConfigType" },
    { S("group is missing, 0 to 255"), "缺少 group，0 至 255" },
    { S("A.B: at most 8 elements inside each other"),
      "A.B：元素至多嵌套 8 层" },
    { S("command is left, right, up, down, upleft, upright, downleft, "
        "downright, zoomin, zoomout or stop"),
      "command 应为 left、right、up、down、upleft、upright、downleft、"
      "downright、zoomin、zoomout 或 stop" },
    { S("the query was answered with SIP 405"), "设备对查询应答 SIP 405" },
    { S("the video is svac"), "视频编码为 svac" },
    { S("the video is of a codec that players do not know"),
      "视频编码不被播放器支持" },
    { S("nothing for 6.0 s; payload is not a program stream: it looks like ts"),
      "6.0 秒没有进展；负载不是 PS 流，看起来是 ts" },
    { S("the device answered the INVITE with 486 Busy after x after 1.0 s"),
      "设备在 x after 1.0 秒后以 486 Busy 应答 INVITE" },
    /* what stands for a part may be a row, or hold one again, four deep */
    { S("offline: offline: offline: offline: offline: offline: x"),
      "离线：离线：离线：离线：offline: offline: x" },
};

static void sentences(void **state)
{
    char buf[CHINESE_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(buf, sizeof(buf) - 1);
        bool is = chinese_write(&w, guarded(cases[i].english));

        assert_int_equal(w.err, 0);
        buf[w.len] = '\0';
        assert_int_equal(is, cases[i].chinese != NULL);
        assert_string_equal(buf, cases[i].chinese ? cases[i].chinese : "");
    }
}

static void no_room(void **state)
{
    char buf[CHINESE_MAX];

    (void)state;
    for (size_t cap = 0; cap <= 12; cap++) {
        struct writer w = writer_of(buf, cap);

        assert_true(chinese_write(&w, SLICE("it plays")));
        assert_true(w.len <= cap);
        assert_true((w.err == 0) == (cap == 12));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences),
        cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
