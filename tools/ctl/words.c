/* What gbctl itself says, in Chinese; what the server says comes in both languages. */
#include "tools/ctl/ctl.h"

/* Formats: the same conversions in the same order. */
static const struct {
    const char *english, *chinese;
} words[] = {
    /* clang-format off */
    { "step", "步骤" },
    { "evidence", "依据" },
    { "hint", "建议" },
    { "it is used like this:", "用法：" },
    { "no token was found: --token @FILE, $GB28181D_TOKEN, " CTL_TOKEN_HERE " or "
      CTL_TOKEN_SYSTEM " (readable by root and its own user)",
      "未找到令牌：请用 --token @文件、$GB28181D_TOKEN、" CTL_TOKEN_HERE " 或 "
      CTL_TOKEN_SYSTEM "（仅 root 及其所属用户可读）" },
    { "is it the token of that server? it stands in admin-token of its data "
      "directory: --token @FILE",
      "令牌是否属于该服务器？令牌在其数据目录的 admin-token 中：--token @文件" },
    { "is the daemon running there? --url or $GB28181D_URL names another place",
      "服务是否在该地址运行？可用 --url 或 $GB28181D_URL 指定其他地址" },
    { "the same port speaks http:// too", "同一端口也支持 http://" },
    { "there is no command \"%s\"; gbctl --help lists them",
      "没有命令“%s”；gbctl --help 列出全部命令" },
    { "%s: https is not supported by this version", "%s：此版本不支持 https" },
    { "%s: not a URL", "%s：不是 URL" },
    { "%s: no token there", "%s：其中没有令牌" },
    { "%s: not %s", "%s：不是 %s" },
    { "%s: not NAME=NUMBER", "%s：不是 名称=数字" },
    { "%s: not NAME=VALUE", "%s：不是 名称=值" },
    { "no TYPE.NAME=VALUE", "缺少 类型.名称=值" },
    { "%s: not a time such as 2026-01-02T03:04:05",
      "%s：不是时间，例如 2026-01-02T03:04:05" },
    { "%s: not call, set or delete", "%s：应为 call、set 或 delete" },
    { "%s: a name goes with set alone", "%s：名称只能与 set 一起使用" },
    { "%s: not set or reset", "%s：应为 set 或 reset" },
    { "%s: not on, off, default or seconds", "%s：应为 on、off、default 或秒数" },
    { "%s: device:ID, group:NAME or nothing",
      "%s：应为 device:编号、group:名称，或留空" },
    { "--completion is for bash, zsh or fish",
      "--completion 支持 bash、zsh 和 fish" },
    { "an argument is no UTF-8", "参数不是 UTF-8" },
    { "an argument is too long", "参数过长" },
    { "an argument is empty", "参数为空" },
    { "%s: its value is missing", "%s：缺少值" },
    { "%s: not an option; gbctl --help lists them",
      "%s：没有此选项；gbctl --help 列出全部选项" },
    { "%s: not 1 to 86400 seconds", "%s：应为 1 至 86400 秒" },
    { "%s: no answer within %u s", "%s：%u 秒内没有应答" },
    { "%s: not behind %s", "%s：不晚于 %s" },
    { "%s: not viewer, operator or admin",
      "%s：应为 viewer、operator 或 admin" },
    { "the output cannot be written", "输出无法写入" },
    { "the command is no UTF-8", "命令不是 UTF-8" },
    { "no password came in", "没有输入密码" },
    { "the token is too long", "令牌过长" },
    { "the token holds a blank", "令牌中有空白" },
    { "a line of the answer is too long", "应答中有过长的行" },
    { "the answer broke off", "应答中断" },
    { "the answer is too large", "应答过大" },
    { "the answer is no JSON: %s", "应答不是 JSON：%s" },
    { "the server speaks no HTTP", "服务器应答的不是 HTTP" },
    { "the server has gone", "服务器已断开" },
    { "cannot follow through this proxy", "无法通过此代理持续跟踪" },
    { "no memory", "内存不足" },
    { "status %u", "状态码 %u" },
    /* clang-format on */
};

const char *ctl_words(const char *english)
{
    for (size_t i = 0; ctl.chinese && i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_eq(slice_str(words[i].english), slice_str(english)))
            return words[i].chinese;
    return english;
}
