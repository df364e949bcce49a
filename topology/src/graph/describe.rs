//! A topology as text, and as a picture.

use std::fmt::Write;

use super::plan::SubTopology;
use super::{Graph, Kind, NodeId, Plan};

/// The parts of the graph as it is when every exchange cuts, without those of nothing but steps that
/// are given nothing.
fn parts(graph: &Graph) -> Vec<SubTopology> {
    let mut parts = Plan::new(graph, 2).parts;
    parts.retain(|part| part.nodes.iter().any(|id| !is_view(graph, *id)));
    parts
}

/// True for a step that is given nothing: it works where a table is read.
fn is_view(graph: &Graph, id: NodeId) -> bool {
    let feeds = |input: &NodeId| {
        graph.children[input.index()]
            .iter()
            .any(|(child, _)| *child == id)
    };
    let inputs = &graph.node(id).inputs;
    !inputs.is_empty() && !inputs.iter().any(feeds)
}

fn kind(graph: &Graph, id: NodeId) -> &'static str {
    match graph.node(id).kind {
        Kind::Source(_) => "Source",
        Kind::Exchange => "Exchange",
        Kind::Operator => "Processor",
        Kind::Sink(_) => "Sink",
    }
}

fn where_to(graph: &Graph, id: NodeId) -> Option<String> {
    match &graph.node(id).kind {
        Kind::Source(source) => source.binding.as_ref().map(|b| b.describe().location),
        Kind::Sink(sink) => {
            let sink = graph.sink(*sink);
            let location = sink.binding.as_ref().map(|b| b.describe().location);
            Some(location.unwrap_or_else(|| sink.name.to_string()))
        }
        _ => None,
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

pub(super) fn text(graph: &Graph) -> String {
    let mut out = String::from("Topology\n");
    for (number, part) in parts(graph).iter().enumerate() {
        writeln!(out, "  Sub-topology {number}").expect("writing to a string");
        let entering = part
            .inputs
            .iter()
            .filter(|id| matches!(graph.node(**id).kind, Kind::Exchange));
        for id in entering {
            write_node(graph, *id, "Source", &mut out);
        }
        for &id in &part.nodes {
            if !matches!(graph.node(id).kind, Kind::Exchange) {
                write_node(graph, id, kind(graph, id), &mut out);
            }
        }
        for &id in &part.exits {
            writeln!(out, "    Sink: {} (exchange)", graph.node(id).name)
                .expect("writing to a string");
        }
    }
    write_views(graph, &mut out);
    out
}

fn write_views(graph: &Graph, out: &mut String) {
    let views: Vec<NodeId> = graph.ids().filter(|id| is_view(graph, *id)).collect();
    if !views.is_empty() {
        out.push_str("  Read through\n");
    }
    for id in views {
        let node = graph.node(id);
        let inputs = list(node.inputs.iter().map(|input| &*graph.node(*input).name));
        writeln!(out, "    View: {} ({}) of {inputs}", node.name, node.label)
            .expect("writing to a string");
    }
}

fn write_node(graph: &Graph, id: NodeId, kind: &str, out: &mut String) {
    let node = graph.node(id);
    write!(out, "    {kind}: {}", node.name).expect("writing to a string");
    if kind == "Processor" {
        write!(out, " ({})", node.label).expect("writing to a string");
    }
    if matches!(node.kind, Kind::Exchange) {
        out.push_str(" (exchange)");
    }
    if let Some(place) = where_to(graph, id) {
        write!(out, " at {place}").expect("writing to a string");
    }
    let stores =
        |ids: &[crate::processor::StoreId]| list(ids.iter().map(|id| &*graph.store(*id).name));
    if !node.writes.is_empty() {
        write!(out, " stores: {}", stores(&node.writes)).expect("writing to a string");
    }
    if !node.reads.is_empty() {
        write!(out, " reads: {}", stores(&node.reads)).expect("writing to a string");
    }
    out.push('\n');
    let children = graph.children[id.index()].iter();
    let children = list(children.map(|(child, _)| &*graph.node(*child).name));
    if !matches!(node.kind, Kind::Sink(_)) {
        writeln!(out, "      --> {children}").expect("writing to a string");
    }
}

pub(super) fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart TD\n");
    for (number, part) in parts(graph).iter().enumerate() {
        writeln!(out, "  subgraph s{number} [Sub-topology {number}]").expect("writing to a string");
        for &id in &part.nodes {
            out.push_str("  ");
            draw(graph, id, &mut out);
        }
        out.push_str("  end\n");
    }
    for id in graph.ids().filter(|id| is_view(graph, *id)) {
        draw(graph, id, &mut out);
    }
    for (at, store) in graph.stores.iter().enumerate() {
        writeln!(out, "  d{at}[({})]", quoted(&store.name)).expect("writing to a string");
    }
    for id in graph.ids() {
        draw_edges(graph, id, &mut out);
    }
    out
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "#quot;"))
}

fn draw(graph: &Graph, id: NodeId, out: &mut String) {
    let (open, close) = match graph.node(id).kind {
        Kind::Source(_) => ("([", "])"),
        Kind::Sink(_) => ("[[", "]]"),
        Kind::Exchange => ("{{", "}}"),
        Kind::Operator if is_view(graph, id) => ("[/", "/]"),
        Kind::Operator => ("[", "]"),
    };
    let name = quoted(&graph.node(id).name);
    writeln!(out, "  n{}{open}{name}{close}", id.0).expect("writing to a string");
}

/// What a node sends to, writes and reads.
fn draw_edges(graph: &Graph, id: NodeId, out: &mut String) {
    let node = graph.node(id);
    for (child, _) in &graph.children[id.index()] {
        writeln!(out, "  n{} --> n{}", id.0, child.0).expect("writing to a string");
    }
    if is_view(graph, id) {
        for input in &node.inputs {
            writeln!(out, "  n{} -.- n{}", input.0, id.0).expect("writing to a string");
        }
    }
    for store in &node.writes {
        writeln!(out, "  n{} --- d{}", id.0, store.0).expect("writing to a string");
    }
    for store in &node.reads {
        writeln!(out, "  d{} -.- n{}", store.0, id.0).expect("writing to a string");
    }
}
