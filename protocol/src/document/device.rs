//! `device.*`, with their prose and their examples.

use serde_json::json;

use super::Method;
use super::methods::{PLEX, errors, example, result, to_value};
use super::schemas::Schemas;
use crate::device::{
    Certainty, Device, DeviceList, DeviceListParams, DeviceRemoval, DeviceRemoveParams, Kept,
    KeptReason, Phantom, RefusedDevice,
};
use crate::error::Code;
use crate::message::method;

pub(super) fn list(schemas: &mut Schemas) -> Method {
    let phantom = Phantom::new(
        "python-plexapi or @ctrl/plex",
        Certainty::Sure,
        "its identifier was drawn at random and never comes back; its token may still be in use somewhere",
    );
    let device = Device {
        id: "100003".to_owned(),
        name: "a1b2c3d4e5f6".to_owned(),
        product: "PlexAPI".to_owned(),
        version: "4.18.2".to_owned(),
        platform: "Linux".to_owned(),
        device_id: "0x1f5e66d2019a".to_owned(),
        provides: "controller".to_owned(),
        created_at: Some("2026-09-20T10:00:00Z".to_owned()),
        last_seen_at: Some("2026-09-20T10:00:03Z".to_owned()),
        this: false,
        phantom: Some(phantom),
        kept_because: None,
    };
    Method {
        name: method::DEVICE_LIST,
        summary: "Lists the account's devices, and which of them a program left behind.",
        description: "Needs a sign-in. A phantom is what a known maker leaves behind, by product and identifier; \
            everything else is none: age proves nothing. `kept_because` is why device.remove keeps a device.",
        param_structure: "by-name",
        params: schemas.params_of::<DeviceListParams>(),
        result: result("list", schemas.of::<DeviceList>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![example("a phantom", json!({}), to_value(&DeviceList::new(vec![device])))],
    }
}

pub(super) fn remove(schemas: &mut Schemas) -> Method {
    let kept = Kept::new(KeptReason::ThisDevice, "it is this worker's own device");
    let refused = vec![RefusedDevice::new("100022", kept)];
    let dry = DeviceRemoval {
        dry_run: true,
        would_remove: Some(vec!["100003".to_owned()]),
        refused: refused.clone(),
        ..DeviceRemoval::default()
    };
    let done =
        DeviceRemoval { removed: vec!["100003".to_owned()], refused, ..DeviceRemoval::default() };
    Method {
        name: method::DEVICE_REMOVE,
        summary: "Removes devices from the account; by default it only tells which ones it would.",
        description: "A removal signs out whatever still uses the device's token. The list is read anew before, and once \
            more afterwards. It stops when the sign-in is over or plex.tv gets too many requests: `left` was not tried.",
        param_structure: "by-name",
        params: schemas.params_of::<DeviceRemoveParams>(),
        result: result("removal", schemas.of::<DeviceRemoval>()),
        errors: errors(&[&PLEX[..], &[Code::RefusedByPlex]].concat()),
        examples: vec![
            example("a dry run", json!({"ids": ["100003", "100022"]}), to_value(&dry)),
            example(
                "a removal",
                json!({"ids": ["100003", "100022"], "dry_run": false}),
                to_value(&done),
            ),
        ],
    }
}
