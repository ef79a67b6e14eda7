//! The Chinese texts of `--help`, by code.
//!
//! Of a verb: `verb` (its first line), `verb:long` (what follows that), `verb:after` (exit codes) and `verb:usage`, where
//! clap would not write it so. Of an argument: `verb.argument`, or `.argument` if several verbs have it; of a value that
//! it can have: `.argument=value`. The verb of luasnap itself is empty.

const OF_READERS: &str = "\
退出码：
  0    完成
  2    luasnap 的用法不对
  125  luasnap 出错：文件读不了，或者里面没有答案";

const OF_WRITERS: &str = "\
退出码：
  0    完成
  2    luasnap 的用法不对
  125  luasnap 出错：写不了";

/// Returns the text with a code.
pub fn text(code: &str) -> Option<&'static str> {
    let mut found = TEXTS.iter().filter(|(known, _)| *known == code);
    found.next().map(|(_, text)| *text)
}

const TEXTS: &[(&str, &str)] = &[
    ("", "查找 Lua 程序的内存泄漏：堆快照、保留大小、最短引用路径、泄漏疑点"),
    (
        ":after",
        "\
从这里开始：
  luasnap run --save F x.lua         运行脚本，结束时保存快照
  luasnap attach PID                 给正在运行的进程取快照
  luasnap watch PID                  看正在运行的进程里什么在增长
  luasnap top F                      列出保留内存最多的几组对象
  luasnap path F _G.server.sessions  看是什么让一个对象一直存活
  luasnap view F                     在终端里浏览
  luasnap diff F1 F2 F3              找出泄漏疑点和它们的积聚点
  luasnap report F1 F2 F3            把这些写成一个页面，可以看，也可以发给别人

程序自己用 `snapshot.save(snapshot.snapshot(), path)` 保存快照。
每个命令的 --help 列出它的退出码。",
    ),
    // Arguments of several verbs.
    (".color", "给答案上色：auto 在终端上、且没有设置 NO_COLOR 时上色，always 总是，never 从不"),
    (".file", "快照文件"),
    (".files", "快照文件，按取快照的先后给出"),
    (".full", "完整写出名称和路径，不管多长"),
    (".groups", "表里写保留内存最多的 N 组、最大的 N 组和对象最多的 N 组（默认：500）"),
    (".hash_names", "用这个文件里的密钥，把键、变量、函数和文件的名称换成哈希值，指纹也随之改变：密钥相同就能连接，没有密钥谁也猜不出"),
    (".help", "显示帮助"),
    (".host", "进程所在的主机（也可用环境变量 LUASNAP_HOST）"),
    (".json", "输出供程序读取的 JSON"),
    (".labels", "用来区分进程的其他标签；可以多次给出（也可用环境变量 LUASNAP_LABELS，以逗号分隔）"),
    (".lang", "用这种语言（默认按 LC_ALL、LC_MESSAGES 或 LANG）。JSON 总是英文"),
    (".lang=en", "英文"),
    (".lang=zh", "中文"),
    (".no_cache", "不在文件里保存答案"),
    (".no_names", "表和指标里不写名称。指纹保留，分组仍按它连接；但有名称列表的人能猜出来"),
    (".objects", "在表里还写引用路径、拥有者，以及每个对象和每条引用各一行"),
    (".paths", "在表里还写引用路径的树和拥有者"),
    (".process", "进程号，或者程序名（`luasnap ps` 列出带 Lua 虚拟机的进程）"),
    (".quiet", "只输出文件名，供脚本使用"),
    (".release", "程序的发布版本（也可用环境变量 LUASNAP_RELEASE）"),
    (".report", "另外写一个给浏览器看的页面到这个文件，与 `luasnap report` 一样；有多个虚拟机时只写最大的"),
    (".rows", "列出这么多组"),
    (".service", "进程所属的服务（也可用环境变量 LUASNAP_SERVICE）"),
    (".to", "快照存成这种形式"),
    (".to=luasnap", "快照文件"),
    (".to=parquet", "给 DuckDB、Spark 等引擎的表，写到一个文件夹里：快照和它们的分组"),
    (".version", "显示版本"),
    // Verbs.
    ("help", "显示本帮助，或者某个命令的帮助"),
    ("run", "运行 Lua 脚本，然后报告它留下了什么"),
    (
        "run:long",
        "像 `lua` 一样运行 SCRIPT，用的是 luasnap 自带的 Lua 5.4，在里面可以直接用 `require \"snapshot\"`。脚本结束时，它留在内存里的东西报告到标准输出：新对象里最大的几组在前，每组带着引用它的路径。",
    ),
    (
        "run:after",
        "\
退出码：
  0    脚本运行到结束
  1    脚本出错，或者无法加载
  2    luasnap 的用法不对
  125  luasnap 自己出错，或者快照无法保存，或者报告写不出
  126  解释器无法启动
  127  找不到解释器
  128 + n  脚本被信号 n 结束：Ctrl-C（130）、SIGTERM（143）或 SIGHUP（129）。要等正在等待的调用返回；
       第二个信号会立刻结束 luasnap
脚本调用 os.exit 时由它自己决定退出码；报告和快照照样写出。

环境变量：
  LUASNAP_MODULE  给 --lua 用的 Lua 模块文件，在 luasnap 自己找不到它的时候",
    ),
    ("run.args", "传给脚本的参数"),
    ("run.every", "脚本的主线程运行 Lua 代码时，每隔这么久保存一份快照（5s、2m、1h），结束时再保存一份：SCRIPT-DATE-TIME-0001.luasnap 等等。这期间 LuaJIT 不编译代码"),
    ("run.lua", "改用这个解释器运行脚本（lua5.1、luajit、/opt/lua/bin/lua……）"),
    ("run.no_names", "保存时去掉键、变量和源文件的名称"),
    ("run.no_strings", "保存时去掉字符串的文本：里面可能有秘密"),
    ("run.quiet", "不写报告"),
    ("run.save", "脚本结束时把快照保存到这个文件；与 --every 一起用时，把多份快照保存到这个文件夹"),
    ("run.script", "Lua 脚本（“-”表示从标准输入读）"),
    ("attach", "给正在运行的进程里的每个 Lua 虚拟机取快照，并说明内存被什么占着"),
    (
        "attach:long",
        "每个虚拟机保存到一个文件；对最大的那个，像 `luasnap top` 一样列出保留内存最多的几组；`luasnap top` 也能给所有文件排名。skynet 的虚拟机用服务来称呼：`--state agent` 读取所有叫这个名字的服务，`--state :0000000a` 只读一个。

复制内存时进程会停顿，每 1 GB 大约半秒；不管 luasnap 发生什么，进程之后都会继续运行。对它只读不写：不往里面写任何东西，不在里面运行任何代码，也不需要模块或调试信息。

内存不够放副本和由它得出的结果（大约是进程可写且在内存中的部分的 1.7 倍）时，根本不会让进程停顿。

栈只读到每个调用可能用到的位置。LuaJIT 编译出的代码只放在寄存器里的值看不到。",
    ),
    (
        "attach:after",
        "\
退出码：
  0    完成
  2    luasnap 的用法不对
  10   没有这个进程
  11   还没读完它的内存，它就结束了
  12   系统不允许；消息里有解决办法
  13   它已经被调试器占用
  14   它是 32 位进程
  15   里面没有已知的 Lua 虚拟机
  16   里面有 Lua 虚拟机，但结构都不认识
  17   它有一个线程停不下来
  18   有多个虚拟机，其中一些读不了
  19   内存不够放它的副本；用 --scratch 时是磁盘不够
  23   有多个进程叫这个名字；已经列出
  125  luasnap 自己出错",
    ),
    (".output", "写到这个文件，已有的会被替换（默认：PROGRAM-PID-TIME.luasnap，不替换任何文件）；有多个虚拟机时，每个文件名带一个编号；表写到这个文件夹"),
    (".scratch", "把它内存的副本放在这个文件夹的一个文件里，而不是内存里：需要的磁盘空间与进程占用的内存差不多。这个文件没有名字，luasnap 结束时就消失"),
    (".verbose", "有虚拟机读不了时，逐一说明试过的每个版本为什么不符"),
    (".state", "只取这个地址的虚拟机，或所有叫这个名字的，由 `luasnap ps --states` 列出"),
    (".tries", "停顿正好落在 Lua 分配内存的中途时，最多让进程停顿几次"),
    ("watch", "一次又一次地连接正在运行的进程，看什么在增长"),
    (
        "watch:long",
        "像 `luasnap attach` 一样不时取一份快照，显示正在增长的几组对象：每分钟的字节数和对象数。结束时（到了 --for 的时间、按了 Ctrl-C，或者进程结束），像 `luasnap diff` 一样说明一共增长了什么，以及泄漏疑点和它们的积聚点。在终端上原地刷新；否则每一步写一行。

每一步之间只留下分组的表，所以步数再多，也不需要更多内存。",
    ),
    (
        "watch:after",
        "\
退出码：
  0    完成：时间到了、按了 Ctrl-C，或者进程已经结束、换成了别的程序
  2    luasnap 的用法不对
  10 到 19、23  进程读不了，或者有多个进程叫这个名字：与 `luasnap attach` 相同
  125  luasnap 自己出错",
    ),
    ("watch.above", "等进程的物理内存（RSS）超过这个数再开始（500M、2G）"),
    ("watch.every", "两份快照之间的时间（500ms、30s、10m、2h）"),
    ("watch.json", "输出供程序读取的 JSON：每一步一行一个对象，结束时再一个"),
    ("watch.keep", "只留最后 N 份快照"),
    ("watch.length", "观察这么久（默认：直到按 Ctrl-C，或者进程结束）"),
    ("watch.metrics", "每一步之后重写这个文件：Prometheus 文本格式的指标，给 node_exporter 的 textfile 收集器（放在它的文件夹里，名为 NAME.prom）。结束时删除"),
    ("watch.metrics_groups", "指标里列出最大的 N 组和增长最多的 N 组，其余的合成一项"),
    ("watch.output", "把快照留在这个文件夹：PROGRAM-PID-DATE-TIME-0001.luasnap 等等，或者表"),
    ("watch.rotate", "在表里，这么长时间写一个文件，而不是每一步一个。被强行终止时，没写完的那个文件里的各步会丢失"),
    ("watch.scratch", "把它内存的副本放在这个文件夹的一个文件里，而不是内存里，与 `luasnap attach` 一样"),
    ("watch.state", "只取这个地址的虚拟机，地址由 `luasnap ps` 列出（默认：最大的那个）"),
    ("watch.tries", "停顿正好落在 Lua 分配内存的中途时，为一份快照最多让进程停顿几次"),
    ("ps", "列出带 Lua 虚拟机的进程"),
    (
        "ps:long",
        "每个进程列出虚拟机的个数、虚拟机的字节数、物理内存（RSS）、最大的虚拟机和命令行（或者程序自己显示的标题）；在终端上，放得下多少显示多少。虚拟机按已知的信息称呼：主脚本，否则是已加载的函数大多来自的源文件；nginx 的工作进程和 Redis 的虚拟机按它们的用途。

如果一个进程里的 Lua 报得出自己的版本，也有打开的虚拟机，却读不了，就在下面列出，并说明原因。不会让任何进程停顿。没有权限读的进程（别的用户的，而又没有 CAP_SYS_PTRACE）不列出。",
    ),
    ("ps:after", "\
退出码：
  0    完成
  2    luasnap 的用法不对
  125  luasnap 自己出错"),
    ("ps.states", "列出每个 Lua 虚拟机，带着 `luasnap attach --state` 要的地址"),
    ("core", "给 core 文件里的每个 Lua 虚拟机取快照，并说明内存被什么占着"),
    (
        "core:long",
        "每个虚拟机保存到一个文件；对最大的那个，像 `luasnap top` 一样列出保留内存最多的几组。

core 文件可以来自内核，也可以来自 gcore。它只被映射，不被复制。",
    ),
    (
        "core:after",
        "\
退出码：
  0    完成
  2    luasnap 的用法不对
  14   它来自 32 位进程，或者字节序不同的机器
  15   进程里没有已知的 Lua 虚拟机
  16   里面有 Lua 虚拟机，但结构都不认识
  18   有多个虚拟机，其中一些读不了
  20   文件读不了
  21   它不是 core 文件
  22   它不完整，剩下的部分里没有读得了的 Lua 虚拟机
  125  luasnap 自己出错",
    ),
    ("core.file", "core 文件"),
    ("core.output", "写到这个文件，已有的会被替换（默认：FILE.luasnap，不替换任何文件）；有多个虚拟机时，每个文件名带一个编号"),
    ("core.program", "留下它的程序，在 core 里写着的程序已经不在的时候"),
    ("info", "概括一份快照"),
    ("info:long", "显示各种对象的个数和自身大小、垃圾、虚拟机的内存由什么组成、有多少未统计，以及浪费的内存：相同的字符串，和大部分位置空着的表。"),
    ("info:after", OF_READERS),
    ("info.no_cache", "既不读取也不保存文件里的答案"),
    ("info.rows", "列出这么多浪费内存的文本，和这么多浪费内存的表"),
    ("top", "列出保留内存最多的几组对象"),
    (
        "top:long",
        "表和 userdata 按类分组，函数按定义的位置，协程按正在做的事，字符串按所有者，其余按路径。“保留大小”（retained size）是整组都释放时会释放的内存；同样的字节可能算在好几组里。“自身大小”（shallow size）是成员自己占用的内存。注册表和全局变量表不列出，因为它们保留着其余的一切。

`--by owner` 说明内存是谁的：每个对象属于代码引用着它的那个插件、模块或源文件夹，所以各行加起来就是全部对象。`shared` 是几家共同引用的，`unknown` 是没有已知的代码引用的。

给几个文件或一个文件夹时，按占用的字节数给 Lua 虚拟机排名，每个一行：例如 `luasnap attach` 一次保存的一个 skynet 节点的所有服务。

开头说明进程的内存在哪里：取快照时系统给出的数字，其中 Lua 虚拟机占用多少，这里面又有多少在用、多少是垃圾。",
    ),
    ("top:after", OF_READERS),
    ("top.files", "快照文件；给几个或一个文件夹时，给 Lua 虚拟机排名，每个一行"),
    ("top.by", "按什么排序，或者列出所有者"),
    ("top.by=retained", "保留大小"),
    ("top.by=size", "自身大小"),
    ("top.by=count", "对象个数"),
    ("top.by=class", "保留大小，只列类"),
    ("top.by=owner", "每个插件、模块或源文件夹所有对象的自身大小"),
    ("top.no_cache", "既不读取也不保存文件里的答案"),
    ("top.rows", "列出这么多行"),
    ("diff", "比较快照，找出泄漏疑点"),
    (
        "diff:usage",
        "\
luasnap diff [OPTIONS] <FILE> <FILE>...
      luasnap diff [OPTIONS] <FOLDER>",
    ),
    ("diff:long", "给两份快照时，列出有变化的几组对象。给三份或更多时，还列出泄漏疑点：从每一份到下一份都在增长的组（泄漏会这样，会填满的缓存不会），以及它们的积聚点。同一个疑点的指纹每次运行都相同。"),
    (
        "diff:after",
        "\
退出码：
  0    完成
  2    luasnap 的用法不对
  3    内存的增长超过了 --fail-on-growth 允许的
  125  luasnap 自己出错，或者这些快照无法比较",
    ),
    ("diff.fail_on_growth", "从第一份到最后一份快照，如果全部对象的增长超过这个数，退出码为 3：字节数（65536、64K、10M、1G），或者百分比（5%）"),
    ("diff.no_cache", "既不读取也不保存最后一个文件里的答案"),
    ("diff.files", "快照文件，按取快照的先后给出；或者放着它们的文件夹，里面的 .luasnap 文件按时间先后比较"),
    ("path", "看是什么让一个对象或一组对象一直存活"),
    ("path:long", "显示它的自身大小和保留大小、从 GC 根到它的最短引用路径、它的引用者和支配者。对单个对象，还显示互不相交的引用路径：要释放它，每一条都必须切断。"),
    ("path:after", OF_READERS),
    ("path.no_cache", "既不读取也不在文件里保存途中找到的东西"),
    ("path.paths", "列出这么多条互不相交的引用路径"),
    ("path.retainers", "列出这么多个引用者"),
    ("path.what", "地址（0x55d0）、路径（_G.server.sessions）、路径的最后一段（sessions），或者一组的名称或指纹，如 `luasnap top` 和 `luasnap top --json` 所列"),
    ("view", "在终端里浏览堆，最大的在前"),
    (
        "view:long",
        "显示支配树：每个对象和它保留的内存，最大的在前，就像 `ncdu` 显示文件夹。回车进入一个对象，左方向键返回上一层。`g` 列出分组，`s` 列出疑点，`p` 显示到对象的路径，`r` 显示它的引用者；`/` 按名称查找；`?` 显示所有按键。

给出先后取的几个文件时，显示最后一个；`d` 显示从第一个以来多出了什么。",
    ),
    ("view:after", OF_READERS),
    ("view.at", "从这个对象开始：地址（0x55d0）、路径（_G.server.sessions）或路径的最后一段"),
    ("view.json", "不显示界面，把一层的各行写成 JSON"),
    ("view.rows", "与 --json 一起用，列出这么多行"),
    ("report", "写一份报告，是一个给浏览器看的 HTML 文件"),
    ("report:long", "页面里有结论、内存在哪里、什么在增长、泄漏疑点、支配树、分组、浪费的内存，以及快照是怎么取的。给一份快照时，显示什么保留内存最多；按先后给几份时，还显示什么在增长。它不需要网络，最大 2 MiB，可以直接发给别人；但里面有程序里的名称，还有文本的开头，除非用 `--no-strings` 去掉。"),
    ("report:after", OF_READERS),
    ("report.json", "不写页面，把页面的数据以 JSON 写到标准输出"),
    ("report.no_cache", "不在文件里保存途中找到的东西"),
    ("report.no_strings", "去掉字符串的文本"),
    ("report.output", "把页面写到这个文件［默认：最后一份快照的名称加 .html，如果还没有这个文件］"),
    ("report.title", "给页面这个标题"),
    ("export", "把快照写成别的工具的格式"),
    ("export:long", "`heapsnapshot` 可以在 Chrome DevTools 的 Memory 面板里打开（“Load profile”），也可以用 memlab 打开。同一个进程的几个文件可以在那里比较。`pprof` 和 `collapsed` 是引用路径的图：每个对象只算在按名字最短的那一条路径上。`parquet` 是给 DuckDB、Spark 等引擎的表，写到一个文件夹里，整个集群的快照都可以放在那里。"),
    ("export:after", OF_READERS),
    ("export.output", "写到这个文件，而不是标准输出；表写到这个文件夹"),
    ("export.since", "写从这份更早的快照以来的增长，只用于 pprof 和 collapsed"),
    ("export.to", "写成这种格式"),
    ("export.to=collapsed", "每条引用路径一行，带字节数，给 flamegraph.pl、inferno 和 speedscope"),
    ("export.to=heapsnapshot", "给 Chrome DevTools 和 memlab"),
    ("export.to=json", "最短引用路径的树，写成一行，与 `snapshot.print_json` 一样"),
    ("export.to=json-indented", "同一棵树，带缩进"),
    ("export.to=parquet", "快照、分组和引用路径的表，给 DuckDB、Spark 等引擎，写到一个文件夹里"),
    ("export.to=pprof", "给 `go tool pprof`、Pyroscope、Parca 和 speedscope 的 profile：每条引用路径的对象数和字节数"),
    ("export.to=text", "对象的表，与 `snapshot.print` 一样"),
    ("sql", "用 SQL 查询快照"),
    ("sql:long", "把这些文件的表（`luasnap export --to parquet --objects`）写到一个临时文件夹，然后在上面运行 DuckDB。它是单独的程序：luasnap 在 PATH 里找 `duckdb`。不给查询时，打开 DuckDB 的 shell。视图有 snapshot、groups、path_tree、owner、object 和 reference；快照的 `file` 标签是它的文件。`--to parquet` 写出的表的文件夹直接查询。"),
    (
        "sql:after",
        "\
退出码：
  0    完成
  2    luasnap 的用法不对
  125  luasnap 出错：文件读不了，或者是一份差异
  127  没有 duckdb
  其他  duckdb 的退出码",
    ),
    ("sql.csv", "输出 CSV"),
    ("sql.words", "快照文件或者表的文件夹；最后一个词不是文件时，就是查询"),
    ("completions", "输出一个脚本，让 shell 补全命令、选项和文件"),
    (
        "completions:after",
        "\
安装：
  luasnap completions bash > ~/.local/share/bash-completion/completions/luasnap
  luasnap completions zsh > DIRECTORY/_luasnap    DIRECTORY 在 $fpath 里
  luasnap completions fish > ~/.config/fish/completions/luasnap.fish

退出码：
  0    完成
  2    luasnap 的用法不对
  125  luasnap 出错：写不了",
    ),
    ("completions.shell", "哪个 shell"),
    ("man", "给 `man` 写一页关于 luasnap 的手册，每个命令也各写一页"),
    ("man:after", OF_WRITERS),
    ("man.folder", "写到这个文件夹：`luasnap.1`、`luasnap-attach.1`……"),
];

/// Returns the codes that there are texts for.
#[cfg(test)]
pub fn codes() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(code, _)| *code)
}
