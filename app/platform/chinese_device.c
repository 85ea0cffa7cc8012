/* what the doctor finds, and why a device is offline or not let in */
#include "app/platform/chinese_int.h"

/* clang-format off */
const struct chinese_row chinese_device[] = {
    /* doctor */
    { "it tried % times, the last % s ago, and was refused: %",
      "它注册了 %1 次，最近一次在 %2 秒前，被拒绝：%3" },
    { "no REGISTER of this id has come", "尚未收到该编号的 REGISTER" },
    { "%; it tried again % s ago and was refused: %",
      "%1；%2 秒前再次注册，被拒绝：%3" },
    { "it has not registered yet", "尚未注册" },
    { "registered", "已注册" },
    { "not registered", "未注册" },
    { "never registered", "从未注册" },
    { "not heard of since the restart", "重启后尚无消息" },
    { "the last Keepalive came % s ago", "最近一次心跳在 %1 秒前" },
    { "no Keepalive has come yet", "尚未收到心跳" },
    { "sign of life inside its registration", "注册有效期内收到消息" },
    { "no sign of life", "没有任何消息" },
    { "it tells another time than ours in its REGISTERs, though it was "
      "told the time",
      "已向设备校时，但其 REGISTER 中的时间仍与本平台不一致" },
    { "% s ago, from % over %; refused since then: %",
      "%1 秒前，来自 %2，经 %3；此后再次注册被拒绝：%4" },
    { "% s ago, from % over %", "%1 秒前，来自 %2，经 %3" },
    { "it has not told its time yet", "设备尚未报告其时间" },
    { "it is % s off ours", "与本平台相差 %1 秒" },
    { "set its time zone, and let it take the time from the platform or by "
      "NTP; what it has recorded is asked for by its own clock meanwhile "
      "(sip.correct_clocks)",
      "请设置其时区，并让它从平台或 NTP 校时；在此之前按设备自己的时钟查询其录像"
      "（sip.correct_clocks）" },
    { "nothing it said is a minute off", "设备报文中的时间误差不超过一分钟" },
    { "it has not answered yet", "尚未应答" },
    { "it is coming", "正在接收" },
    { "it is complete", "已完整" },
    { "parts of it are missing", "缺少一部分" },
    { "one of % channels; %", "共 %1 个通道之一；目录%2" },
    { "its Keepalive names the channel as faulty", "心跳中报告该通道故障" },
    { "its catalog says that the channel is off", "目录中该通道为离线" },
    { "not among its % channels; the catalog: %",
      "不在其 %1 个通道之中；目录%2" },
    { "the catalog: %", "目录%1" },
    { "% after % ms; media over % to our port %, SSRC %",
      "%2 毫秒后应答 %1；媒体经 %3 发往本机端口 %4，SSRC %5" },
    { "TCP (we listen)", "TCP（平台监听）" },
    { "TCP (we connect)", "TCP（平台连接）" },
    { "none is needed over UDP", "UDP 方式不需要连接" },
    { "we connected to it", "由平台连接设备" },
    { "it connected to us", "由设备连接平台" },
    { "% from %, % lost", "收到 %1 个包，来自 %2，丢失 %3 个" },
    { "they have another one than %, and are taken all the same",
      "媒体包的 SSRC 与协商的 %1 不同，仍予接收" },
    { "%, sound none", "%1，没有声音" },
    { "%, sound %", "%1，声音 %2" },
    { "% x %, % ms after the request", "%1 x %2，请求后 %3 毫秒" },
    { "no player shows %", "没有播放器支持 %1" },
    { "this one does not show %", "当前播放端不支持 %1" },
    { "% is among what it shows", "播放端支持 %1" },
    { "%: it has not said what it shows", "%1：播放端未说明支持哪些编码" },
    { "it plays", "正在播放" },
    { "until it was stopped by us, % packets", "直到由本平台停止，共 %1 个包" },
    { "nobody has asked for this picture yet", "尚无人请求过该画面" },
    { "is it powered and connected? Set its keepalive interval to 60 s; "
      "behind a NAT, let it register over TCP",
      "检查设备供电与网络；心跳间隔设为 60 秒，经过 NAT 时改用 TCP 注册" },
    { "set its time zone, and let it take the time from the platform or "
      "by NTP; recordings are found at the wrong time else",
      "请设置设备时区，并启用平台校时或 NTP，否则录像时间会错位" },
    { "look whether the camera behind the recorder is connected, and "
      "which channels the device passes on to the platform",
      "检查录像机下的摄像机是否在线，以及设备向平台推送了哪些通道" },
    { "firmware that does not heed y=: harmless with a port of its own",
      "设备固件未使用 y= 中的 SSRC；使用独立端口时不影响观看" },
    { "set the video of the camera, or of its sub stream, to H.264, or "
      "use a browser that has this codec",
      "请将主码流或子码流设为 H.264，或使用支持该编码的浏览器" },
    { "compare server id, domain, address, port and password in the "
      "camera with /api/v1/setup-hints",
      "请核对摄像机中的服务器编号、域、地址、端口和密码" },
    { "see the log of the platform", "请查看平台日志" },
    { "is the channel's own picture there? Look for the device's limit "
      "of streams",
      "请确认该通道本身有画面，并检查设备的取流路数上限" },
    { "a firewall or NAT may keep media away: check media.address and "
      "network.advertise, or use another transport",
      "防火墙或 NAT 可能拦截了媒体：请检查 media.address "
      "与 network.advertise，或改用其他传输方式" },
    /* offline, or not let in */
    { "registration expired", "注册已过期" },
    { "keepalive lost", "心跳丢失" },
    { "says that it is going offline", "设备通知即将离线" },
    { "kept out by the configuration", "被配置拒绝" },
    { "connection lost", "连接中断" },
    { "unregistered", "已注销" },
    /* why a subscription is not active */
    { "the device ended it without a reason", "设备已终止订阅，未说明原因" },
    { "the device ended it for a reason of its own",
      "设备因自定义原因终止了订阅" },
    { "the device ended it and wants to be asked anew (deactivated)",
      "设备已终止订阅并要求重新订阅（deactivated）" },
    { "the device ended it because its time was over (timeout)",
      "订阅到期，设备已终止（timeout）" },
    { "the device ended it for now (probation)",
      "设备暂时终止了订阅（probation）" },
    { "the device ended it: it was not allowed in time (giveup)",
      "设备已终止订阅：未能及时获得授权（giveup）" },
    { "the device ended it: it does not allow this platform to subscribe "
      "(rejected)",
      "设备已终止订阅：不允许本平台订阅（rejected）" },
    { "the device ended it: what was asked for is not there any more "
      "(noresource)",
      "设备已终止订阅：订阅的对象已不存在（noresource）" },
    { "the device ended it: what was asked for never changes (invariant)",
      "设备已终止订阅：订阅的对象不会变化（invariant）" },
    { "the device answered 200, and ERROR in its body",
      "设备应答 200，但消息体为 ERROR" },
    { "the device answered 200, and Expires: 0: it grants no time",
      "设备应答 200，但 Expires 为 0：不给予订阅时间" },
    { "the device grants so little time that it is over before it can be "
      "asked again",
      "设备给予的订阅时间过短，来不及续订" },
    { "the device never answered", "设备始终未应答" },
    { "its address is not answered for % s more, too many wrong passwords "
      "came from there: correct them, and wait",
      "来自其地址的错误密码过多，%1 秒内不再应答：请改正密码并等待" },
    { "was asked for its password and has not answered yet",
      "已向它索要密码，尚未应答" },
    { "was challenged again and again and never answers: our answers do "
      "not seem to reach it, try SIP over TCP",
      "多次质询均无应答：平台的应答可能未到达设备，请改用 TCP 注册" },
    { "the password is right, but the digest user name is not the device "
      "id: set the SIP user name of the device to its id",
      "密码正确，但摘要用户名不是设备编号：请将设备的 SIP 用户名设为其编号" },
    { "the digest was made with the device id, but another user name was "
      "sent",
      "摘要按设备编号计算，但发送了另一个用户名" },
    { "the password is right, but the digest was made with the "
      "Request-URI and another uri was sent",
      "密码正确，但摘要按 Request-URI 计算，而发送了另一个 uri" },
    { "the device has the platform's password, but one of its own or of "
      "its group is set for it here",
      "设备使用的是平台密码，但平台上为它或其分组设置了单独的密码" },
    { "the password set in the device is not the one of this platform",
      "设备中设置的密码与平台不一致" },
    { "it answers the challenge with something else than a digest: let it "
      "register with a password",
      "它对质询的应答不是摘要认证：请在设备中改用密码注册" },
    { "its digest uses an algorithm that it was not offered: set the device "
      "to MD5, or add it to sip.digest",
      "摘要使用了平台未提供的算法：请将设备设为 MD5，或在 sip.digest 中加入该算法" },
    { "its digest is incomplete: user name, nonce, uri and response have to be "
      "in it, each once",
      "摘要不完整：用户名、nonce、uri 和 response 必须各出现一次" },
    { "its digest uses another qop than auth", "摘要使用了 auth 以外的 qop" },
    { "its digest was made for another SIP domain: set that of this platform "
      "in the device",
      "摘要按另一个 SIP 域计算：请在设备中填写本平台的 SIP 域" },
    { "it answered an old challenge, or that of another server, and was asked "
      "again",
      "它应答的是过期的或其他服务器的质询，已重新质询" },
    { "its id does not have 20 digits: correct it in the device",
      "设备编号不是 20 位数字：请在设备中更正" },
    { "it uses the id of this platform: give the device one of its own",
      "它使用了本平台的编号：请为设备设置自己的编号" },
    { "it sends messages from another address than it registered from: let "
      "it register again",
      "它从注册地址以外的地址发送消息：请让设备重新注册" },
    { "it sends messages and is not registered: let it register again, or "
      "restart it",
      "它未注册就发送消息：请让设备重新注册，或重启设备" },
    { "To of its REGISTER names another id than From",
      "REGISTER 的 To 与 From 编号不一致" },
    { "not enrolled; its password is right", "密码正确，尚未被接纳" },
    { "sip.allow_ids and sip.deny_ids keep it out",
      "被 sip.allow_ids 与 sip.deny_ids 拒绝" },
    { "%; SIP ALG suspected: try another SIP port, or TCP",
      "%1；疑似 SIP ALG：请更换 SIP 端口或改用 TCP" },
    { "%; the device at this address is known as %",
      "%1；该地址的设备已知编号为 %2" },
    { 0 },
};
/* clang-format on */
