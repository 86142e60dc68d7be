//! Code of the connector.

use super::{Builder, own_id};
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{CodeHook, HookId, ParameterId},
    vocabulary::{Node, Part},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn code(&mut self) {
        let mut first = None;
        let mut count = 0_usize;
        for node in self.parts("QActions", "QAction") {
            let Some(id) = own_id(node).map(HookId) else {
                continue;
            };
            first = first.or_else(|| Some(node.span()));
            count += 1;
            let hook = self.hook(node);
            let _taken = self.plan.hooks.insert(id, hook);
        }
        if let Some(span) = first {
            let message = match count {
                1 => "the connector's own code is kept and not run".to_owned(),
                count => format!("the connector's own code, {count} QActions, is kept and not run"),
            };
            self.said.add(
                Diagnostic::note(Code::CodeNotRun, span, message)
                    .help("a hook on the same parameter, or a path into JSON in the element's settings, takes its place"),
            );
        }
    }

    fn hook(&self, node: &Node<'d>) -> CodeHook {
        let text = |name: &str| {
            let field = node.attribute(name);
            field
                .map(|field| field.text().to_owned())
                .unwrap_or_default()
        };
        let parameters = |name: &str| {
            let ids = node
                .attribute(name)
                .into_iter()
                .flat_map(|field| field.value.ids());
            let known = ids.filter(|(id, _)| self.ids.has(Part::Parameter, *id));
            known.map(|(id, _)| ParameterId(*id)).collect::<Vec<_>>()
        };
        let options = node.attribute("options");
        CodeHook {
            name: text("name"),
            language: text("encoding"),
            triggers: parameters("triggers"),
            inputs: parameters("inputParameters"),
            is_binary: options.is_some_and(|field| field.value.option("binary").is_some()),
            text: node.value.text().unwrap_or_default().to_owned(),
        }
    }
}
