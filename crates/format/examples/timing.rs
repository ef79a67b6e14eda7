//! Temporary timing.
use luasnap_heap::*;
use luasnap_format::*;
use std::time::Instant;
use std::io;
struct Count(u64);
impl io::Write for Count { fn write(&mut self, b:&[u8])->io::Result<usize>{ self.0+=b.len() as u64; Ok(b.len()) } fn flush(&mut self)->io::Result<()>{Ok(())} }
fn start() -> (HeapBuilder, NodeId) {
    let mut b = HeapBuilder::new();
    let (g,_) = b.node(Kind::Table, 0x10).unwrap();
    let n = b.name(b"_G").unwrap();
    b.edge(NodeId::ROOT, g, Label::Root(n), Strength::Strong).unwrap();
    (b,g)
}
fn records(n:u64, skip:u64)->Heap { let (mut b,g)=start();
    let (a,_)=b.node(Kind::Table,0x20).unwrap(); let nm=b.name(b"records").unwrap();
    b.edge(g,a,Label::Field(nm),Strength::Strong).unwrap();
    for i in 0..n { let addr = if skip>0 && i%skip==7 {0x9000_0000+i*64} else {0x1000+i*64}; let (t,_)=b.node(Kind::Table,addr).unwrap(); b.set_count(t,2); b.set_size(t,80); b.edge(a,t,Label::Index(i as i64+1),Strength::Strong).unwrap(); }
    b.finish().unwrap() }
fn random(n:u64)->Heap { let (mut b,g)=start();
    let (a,_)=b.node(Kind::Table,0x20).unwrap(); let nm=b.name(b"nodes").unwrap();
    b.edge(g,a,Label::Field(nm),Strength::Strong).unwrap();
    let mut ids=vec![]; for i in 0..n { let (t,_)=b.node(Kind::Table,0x1000+i*64).unwrap(); ids.push(t); b.set_count(t,4); }
    b.edge(a,ids[0],Label::Index(1),Strength::Strong).unwrap();
    let mut x=88172645463325252u64;
    for i in 0..n as usize { for k in 1..=4 { x^=x<<13;x^=x>>7;x^=x<<17; b.edge(ids[i],ids[(x%n) as usize],Label::Index(k),Strength::Strong).unwrap(); } }
    b.finish().unwrap() }
fn chain(n:u64)->Heap { let (mut b,mut g)=start(); let nm=b.name(b"next").unwrap();
    for i in 0..n { let (t,_)=b.node(Kind::Table,0x1000+i*64).unwrap(); b.edge(g,t,Label::Field(nm),Strength::Strong).unwrap(); g=t; }
    b.finish().unwrap() }
fn keyed(n:u64)->Heap { let (mut b,g)=start();
    let (a,_)=b.node(Kind::Table,0x20).unwrap(); let nm=b.name(b"cache").unwrap();
    b.edge(g,a,Label::Field(nm),Strength::Strong).unwrap();
    let items=b.name(b"items").unwrap(); let meta=b.name(b"meta").unwrap();
    for i in 0..n { let k=(i*7919)%n; let (t,_)=b.node(Kind::Table,0x1000+i*192).unwrap(); let nm=b.name(format!("session-{k}").as_bytes()).unwrap(); b.edge(a,t,Label::Field(nm),Strength::Strong).unwrap();
      let (u,_)=b.node(Kind::Table,0x1040+i*192).unwrap(); b.edge(t,u,Label::Field(meta),Strength::Strong).unwrap();
      let (u,_)=b.node(Kind::Table,0x1080+i*192).unwrap(); b.edge(t,u,Label::Field(items),Strength::Strong).unwrap(); }
    b.finish().unwrap() }
fn main(){
    let only = std::env::args().nth(1);
    for (name,make) in [("records",(|| records(1_000_000,0)) as fn()->Heap),("random",||random(1_000_000)),("chain",||chain(1_000_000)),("keyed 3M",||keyed(1_000_000))] {
        if only.as_deref().is_some_and(|o| o!=name) { continue }
        let heap=make(); let other=make();
        println!("{name}: {} nodes {} edges, heap {} B/node", heap.node_count(), heap.edge_count(), heap.memory()/heap.node_count());
        for _ in 0..3 { let t=Instant::now(); let tree=ChainTree::new(&heap).unwrap(); println!("  tree {:?} ({} B/node)", t.elapsed(), tree.memory()/tree.len()); }
        let s=Snapshot::new(heap); let o=Snapshot::new(other); s.tree().unwrap(); o.tree().unwrap();
        let t=Instant::now(); let d=increase(&s,&o).unwrap(); println!("  incr same {:?} {}", t.elapsed(), d.len());
        let t=Instant::now(); let g=Groups::new(&s).unwrap(); println!("  groups {:?} {}", t.elapsed(), g.groups().len());
        for (what,f) in [("json",write_json as fn(&mut dyn io::Write,&Snapshot)->io::Result<()>),("jsonfmt",write_json_indented),("text",write_text)] {
            let mut c=Count(0); let t=Instant::now(); f(&mut c,&s).unwrap(); let e=t.elapsed(); println!("  {what} {} MB {:?} {:.0} MB/s {:.1}M rows/s", c.0/1_000_000, e, c.0 as f64/e.as_secs_f64()/1e6, s.len() as f64/e.as_secs_f64()/1e6);
        }
    }
    let a=Snapshot::new(records(1_000_000,0)); let b=Snapshot::new(records(1_000_000,100)); a.tree().unwrap(); b.tree().unwrap();
    for _ in 0..3 { let t=Instant::now(); let d=increase(&a,&b).unwrap(); println!("incr 1% {:?} {}", t.elapsed(), d.len()); }
    let t=Instant::now(); let d=decrease(&a,&b).unwrap(); println!("decr 1% {:?} {}", t.elapsed(), d.len());
    let small=Snapshot::new(records(10,0)); let t=Instant::now(); let d=increase(&small,&a).unwrap(); println!("incr all new {:?} {}", t.elapsed(), d.len());
}
