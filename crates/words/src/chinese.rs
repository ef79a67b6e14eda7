//! The Chinese texts, by code.

use crate::texts::{Noun, Text};

pub(crate) const TEXTS: &[Text] = &[
    ("growth.entries", "：多了 {entries}"),
    ("growth.grew", "{point} 增长了 {bytes}{rate}{what}。"),
    (
        "growth.grew_most",
        "{name} 增长最多，共 {bytes}{rate}{since}。",
    ),
    (
        "growth.grows",
        "{point} 每一步都在增长，共 {bytes}{rate}{what}。",
    ),
    ("growth.held_by_c", "（由 C 代码引用：luaL_ref）"),
    ("growth.is", "（{what}）"),
    ("growth.members", "：多了 {members}，{name}"),
    ("growth.nothing", "没有增长。"),
    ("growth.point", "{name}{is}{holder}"),
    ("growth.rate", "，{time}内每分钟 {bytes}"),
    ("growth.since", "，最近 {steps} 步每一步都在增长{time}"),
    ("growth.since_time", "（{time}）"),
    (
        "ledger.garbage",
        "虚拟机的 {all} 里有 {part} 是收集器还没有回收的垃圾：不是泄漏",
    ),
    (
        "ledger.garbage_grew",
        "虚拟机增长的 {all} 里有 {part} 是收集器还没有回收的垃圾：不是泄漏",
    ),
    (
        "ledger.outside",
        "进程的 {all} 里有 {part} 在 Lua 虚拟机之外：分配器、C 库、其他虚拟机",
    ),
    (
        "ledger.outside_5_5",
        "进程的 {all} 里有 {part} 不在 Lua 虚拟机的统计之内：长字符串的文本、分配器、C 库、其他虚拟机",
    ),
    (
        "ledger.outside_5_5_grew",
        "进程增长的 {all} 里有 {part} 不在 Lua 虚拟机的统计之内：长字符串的文本、分配器、C 库、其他虚拟机",
    ),
    (
        "ledger.outside_grew",
        "进程增长的 {all} 里有 {part} 在 Lua 虚拟机之外：分配器、C 库、其他虚拟机",
    ),
    ("time.hours", "{number} 小时"),
    ("time.minutes", "{number} 分钟"),
    ("time.seconds", "{number} 秒"),
    (
        "top.many",
        "{members}（{name}）一共保留 {bytes}，占全部的 {share}。",
    ),
    ("top.none", "没有哪个对象或哪一组保留了全部内存的五分之一。"),
    (
        "top.one",
        "一个{kind} {name} 保留 {bytes}，占全部的 {share}。",
    ),
    (
        "top.one_and_many",
        "一个{kind} {name} 保留 {bytes}，占全部的 {share}。其中有 {members}：{group}（{group_bytes}，占全部的 {group_share}）。",
    ),
];

pub(crate) const NOUNS: &[Noun] = &[
    ("cdata", ("cdata", "cdata")),
    ("coroutine", ("协程", "协程")),
    ("entry", ("条目", "条目")),
    ("function", ("函数", "函数")),
    ("object", ("对象", "对象")),
    ("proto", ("函数原型", "函数原型")),
    ("string", ("字符串", "字符串")),
    ("table", ("表", "表")),
    ("thread", ("协程", "协程")),
    ("trace", ("编译代码", "编译代码")),
    ("upvalue", ("upvalue", "upvalue")),
    ("userdata", (" userdata", " userdata")),
];
