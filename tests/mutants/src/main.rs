//! Writes every mutant of `cargo mutants --list --json` into the sources at once, each behind a switch: one build serves
//! them all. Usage: `plexsync-mutants TREE LIST DROPPED`: the folder that is changed, the list, and the numbers of those
//! that don't compile.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::{env, fs};

use serde_json::Value;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A mutant by its number, and what it writes.
#[derive(Clone)]
struct Mutant {
    number: usize,
    genre: String,
    /// Bytes of the source.
    at: (usize, usize),
    replacement: String,
}

enum Kind {
    Body,
    Binary {
        left: (usize, usize),
        operator: (usize, usize),
        right: (usize, usize),
    },
    Unary {
        inner: (usize, usize),
    },
    Guard,
    /// An arm without a guard: one is put in at this empty place.
    Arm,
    Fields,
}

struct Site {
    at: (usize, usize),
    kind: Kind,
    mutants: Vec<Mutant>,
}

struct Source<'a> {
    text: &'a str,
    lines: Vec<usize>,
    mutants: Vec<Mutant>,
    sites: Vec<Site>,
    constant: usize,
}

impl Source<'_> {
    fn byte(&self, line: usize, column: usize) -> usize {
        let begin = self.lines[line - 1];
        let rest = &self.text[begin..];
        begin + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    fn range(&self, node: &impl Spanned) -> (usize, usize) {
        let span = node.span();
        let (start, end) = (span.start(), span.end());
        (self.byte(start.line, start.column), self.byte(end.line, end.column))
    }

    fn add(&mut self, at: (usize, usize), kind: Kind, mutants: Vec<Mutant>) {
        if !mutants.is_empty() && self.constant == 0 {
            self.sites.push(Site { at, kind, mutants });
        }
    }

    fn of(&self, genre: &str, fits: impl Fn((usize, usize)) -> bool) -> Vec<Mutant> {
        let fitting = self.mutants.iter().filter(|it| it.genre == genre && fits(it.at));
        fitting.cloned().collect()
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if let (Some(first), Some(last)) = (block.stmts.first(), block.stmts.last()) {
            let at = (self.range(first).0, self.range(last).1);
            let inside = self.range(block);
            let mutants = if signature.constness.is_none() {
                self.of("FnValue", |it| {
                    it.0 >= inside.0 && it.0 <= at.0 && it.1 >= at.1 && it.1 <= inside.1
                })
            } else {
                Vec::new()
            };
            self.add(at, Kind::Body, mutants);
        }
    }
}

fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(it) => has_let(&it.left) || has_let(&it.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Source<'_> {
    fn visit_item_fn(&mut self, it: &'ast syn::ItemFn) {
        self.function(&it.sig, &it.block);
        let constant = usize::from(it.sig.constness.is_some());
        self.constant += constant;
        visit::visit_item_fn(self, it);
        self.constant -= constant;
    }

    fn visit_impl_item_fn(&mut self, it: &'ast syn::ImplItemFn) {
        self.function(&it.sig, &it.block);
        let constant = usize::from(it.sig.constness.is_some());
        self.constant += constant;
        visit::visit_impl_item_fn(self, it);
        self.constant -= constant;
    }

    fn visit_trait_item_fn(&mut self, it: &'ast syn::TraitItemFn) {
        if let Some(block) = &it.default {
            self.function(&it.sig, block);
        }
        visit::visit_trait_item_fn(self, it);
    }

    fn visit_item_const(&mut self, it: &'ast syn::ItemConst) {
        self.constant += 1;
        visit::visit_item_const(self, it);
        self.constant -= 1;
    }

    fn visit_item_static(&mut self, it: &'ast syn::ItemStatic) {
        self.constant += 1;
        visit::visit_item_static(self, it);
        self.constant -= 1;
    }

    fn visit_impl_item_const(&mut self, it: &'ast syn::ImplItemConst) {
        self.constant += 1;
        visit::visit_impl_item_const(self, it);
        self.constant -= 1;
    }

    fn visit_expr_binary(&mut self, it: &'ast syn::ExprBinary) {
        let operator = self.range(&it.op);
        if !has_let(&it.left) && !has_let(&it.right) {
            let (left, right) = (self.range(&it.left), self.range(&it.right));
            let mutants = self.of("BinaryOperator", |it| it == operator);
            self.add((left.0, right.1), Kind::Binary { left, operator, right }, mutants);
        }
        visit::visit_expr_binary(self, it);
    }

    fn visit_expr_unary(&mut self, it: &'ast syn::ExprUnary) {
        let (operator, inner) = (self.range(&it.op), self.range(&it.expr));
        let mutants = self.of("UnaryOperator", |it| it.0 == operator.0);
        self.add((operator.0, inner.1), Kind::Unary { inner }, mutants);
        visit::visit_expr_unary(self, it);
    }

    fn visit_arm(&mut self, it: &'ast syn::Arm) {
        let whole = self.range(it);
        let mut mutants = self.of("MatchArm", |it| it.0 == whole.0);
        if let Some((_, guard)) = &it.guard {
            let at = self.range(guard);
            mutants.extend(self.of("MatchArmGuard", |it| {
                it.0 >= whole.0 && it.0 <= at.0 && it.1 >= at.1 && it.1 <= whole.1
            }));
            self.add(at, Kind::Guard, mutants);
        } else {
            let end = self.range(&it.pat).1;
            self.add((end, end), Kind::Arm, mutants);
        }
        visit::visit_arm(self, it);
    }

    fn visit_expr_struct(&mut self, it: &'ast syn::ExprStruct) {
        let whole = self.range(it);
        let fields: Vec<_> = it.fields.iter().map(|field| self.range(field).0).collect();
        let mutants = self.of("StructField", |it| fields.contains(&it.0));
        self.add(whole, Kind::Fields, mutants);
        visit::visit_expr_struct(self, it);
    }
}

impl Source<'_> {
    /// The text of these bytes with the sites in it switched.
    fn render(&self, from: usize, to: usize, skip: usize) -> String {
        let (mut text, mut at) = (String::new(), from);
        for (index, site) in self.sites.iter().enumerate().skip(skip) {
            if site.at.0 < at || site.at.1 > to {
                continue;
            }
            text.push_str(&self.text[at..site.at.0]);
            text.push_str(&self.switched(index, site));
            at = site.at.1;
        }
        text + &self.text[at..to]
    }

    fn switched(&self, index: usize, site: &Site) -> String {
        let raw = |(from, to): (usize, usize)| &self.text[from..to];
        let id = site.mutants[0].number;
        let look = format!("crate::mutant::at({id})");
        let default = self.render(site.at.0, site.at.1, index + 1);
        let arms = |write: &dyn Fn(&Mutant) -> String| -> String {
            let arm = |it: &Mutant| format!("\n{} => /*M{0}*/{}/*E{0}*/,", it.number, write(it));
            site.mutants.iter().map(arm).collect()
        };
        let text = match &site.kind {
            Kind::Body => {
                let arms = arms(&|it| format!("return {}", it.replacement));
                return format!(
                    "\n/*S{id}*/match {look} {{{arms}\n_ => {{}} }}/*T{id}*/\n{default}"
                );
            }
            Kind::Arm => {
                return format!(" if {look} != {}", site.mutants[0].number);
            }
            Kind::Guard => arms(&|it| match it.genre.as_str() {
                "MatchArm" => "false".to_owned(),
                _ => it.replacement.clone(),
            }),
            Kind::Binary { left, operator, right } => arms(&|it| {
                let before = &self.text[left.0..operator.0];
                format!("{before}{}{}", it.replacement, &self.text[operator.1..right.1])
            }),
            Kind::Unary { inner } => arms(&|_| raw(*inner).to_owned()),
            Kind::Fields => arms(&|it| {
                let behind = &self.text[it.at.1..site.at.1];
                let behind = behind.trim_start().strip_prefix(',').unwrap_or(behind);
                format!("{}{behind}", &self.text[site.at.0..it.at.0])
            }),
        };
        format!("(match {look} {{/*S{id}*/{text}\n_ => {default} }})/*T{id}*/")
    }
}

fn main() {
    let mut arguments = env::args().skip(1);
    let mut argument = || arguments.next().expect("TREE LIST DROPPED");
    let (tree, list, dropped) = (argument(), argument(), argument());
    let list: Vec<Value> = serde_json::from_str(&fs::read_to_string(list).unwrap()).unwrap();
    let dropped: HashSet<usize> =
        serde_json::from_str(&fs::read_to_string(dropped).unwrap()).unwrap();
    let mut files = BTreeMap::<&str, Vec<usize>>::new();
    for (number, mutant) in list.iter().enumerate() {
        if !dropped.contains(&(number + 1)) {
            files.entry(mutant["file"].as_str().unwrap()).or_default().push(number + 1);
        }
    }
    let mut sites = HashMap::<usize, Vec<usize>>::new();
    for (file, numbers) in files {
        let path = format!("{tree}/{file}");
        let text = fs::read_to_string(&path).unwrap();
        let lines = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut source = Source { text: &text, lines, mutants: vec![], sites: vec![], constant: 0 };
        for number in numbers {
            let mutant = &list[number - 1];
            let place = |end: &str| {
                let member = |name: &str| mutant["span"][end][name].as_u64().unwrap() as usize;
                source.byte(member("line"), member("column") - 1)
            };
            let text = |name: &str| mutant[name].as_str().unwrap().to_owned();
            let mutant = Mutant {
                number,
                genre: text("genre"),
                at: (place("start"), place("end")),
                replacement: text("replacement"),
            };
            source.mutants.push(mutant);
        }
        let parsed = syn::parse_file(&text).unwrap();
        source.visit_file(&parsed);
        // Outer ones first; a function's body before an expression that is all of it.
        source.sites.sort_by_key(|site| {
            (site.at.0, std::cmp::Reverse(site.at.1), !matches!(site.kind, Kind::Body))
        });
        for site in &source.sites {
            let numbers = site.mutants.iter().map(|it| it.number).collect();
            sites.insert(site.mutants[0].number, numbers);
        }
        fs::write(&path, source.render(0, text.len(), 0)).unwrap();
    }
    println!("{}", serde_json::to_string(&sites).unwrap());
}
