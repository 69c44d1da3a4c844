//! What rules of two purposes know of a visitor is kept once for both: it goes when either of them is taken back.

use crate::world::*;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::value::Value;
use selvedge_core::wire::program::{
    Attribute, AttributeScope, AttributeSet, AttributeType, CartChange, CartEvent, SetTo,
};
use selvedge_core::wire::state::{AttributeCell, CellBody, Stored, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::ingest::{Outcome, Trouble, step};
use selvedge_edge::publish::hash_of;
use selvedge_edge::site::Site;

/// The small site, where a view sets an attribute and puts something into the cart, which rules of these purposes read.
fn site_of(purpose: Purposes) -> Site {
    let mut parts = parts();
    parts.plan.events.iter_mut().for_each(|event| event.purposes = ALL);
    let event = || "product_view".to_owned();
    parts.attributes = vec![Attribute {
        name: "stage".into(),
        scope: AttributeScope::Visitor,
        attribute_type: AttributeType::Text,
        set: vec![AttributeSet { event: event(), to: SetTo::Text("looking".into()) }],
        purpose,
        private: false,
        ttl: None,
    }];
    parts.cart = vec![CartEvent { event: event(), does: CartChange::Adds, purpose }];
    let bytes = parts.encode();
    Site::load(&bytes, hash_of(&bytes), 1).unwrap()
}

fn said_to(site: &Site, stored: Option<VisitorRecord>, consent: Snapshot, views: u32) -> Outcome {
    let mut view = event(1, "product_view");
    view.properties.set("sku", Value::Text("boot".into()));
    let events = (0..views).map(|_| Ok(view.clone())).collect();
    let heard = &mut Heard::default();
    step(site, stored, batch(consent, events), &arrival(), &Trouble::default(), heard).unwrap()
}

/// Whether the attribute and what is in the cart are kept.
fn known(record: Option<&VisitorRecord>) -> [bool; 2] {
    let state = VisitorState::decode(&record.unwrap().state).unwrap();
    let has = |is: fn(&CellBody) -> bool| state.cells.iter().any(|cell| is(&cell.body));
    [
        has(
            |body| matches!(body, CellBody::Attribute(AttributeCell { value: Stored::Text(text), .. }) if text == "looking"),
        ),
        has(|body| matches!(body, CellBody::Cart(cart) if !cart.lines.is_empty())),
    ]
}

#[test]
fn a_fact_of_two_purposes_goes_with_either_of_them_and_does_not_come_back() {
    let (analytics, personal) = (Purposes::ANALYTICS, Purposes::PERSONALIZATION);
    let advertising = Purposes::ADVERTISING;
    let [watched, shown] = [analytics.or(personal), personal.or(advertising)];
    let cases = [
        (watched, analytics, false),
        (watched, personal, false),
        (watched, advertising, true),
        (shown, advertising, false),
        (shown, personal, false),
    ];
    for (purposes, lost, stays) in cases {
        let site = site_of(purposes);
        let before = kept(None, &said_to(&site, None, granted(), 1));
        assert_eq!(known(before.as_ref()), [true, true]);
        let fewer = said(ALL.without(lost), lost, 50);
        let after = kept(before.clone(), &said_to(&site, before, fewer, 0));
        assert_eq!(known(after.as_ref()), [stays, stays], "of {purposes:?}, without {lost:?}");
        let all = said(ALL, Purposes::NONE, 60);
        let again = kept(after.clone(), &said_to(&site, after, all, 0));
        assert_eq!(known(again.as_ref()), [stays, stays], "of {purposes:?}, granted anew");
    }
}
