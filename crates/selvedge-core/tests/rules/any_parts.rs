//! Parts of any program, sensible or not.

use proptest::prelude::*;
use selvedge_core::consent::{Mode, Purposes};
use selvedge_core::tracking_plan::{Nature, PlanEvent, PlanProperty, PropertyType, Trust};
use selvedge_core::wire::program::{
    Attribute, AttributeScope, AttributeSet, AttributeType, Builtin, Cap, CartChange, CartEvent, ColumnKind,
    Content, ContentType, Deciding, EdgeConfig, Emit, Escape, Experiment, Fact, FactSource, Feed, Format,
    Goal, Group, Hold, IfStale, Instruction, Jump, Keep, Leaf, LocalPart, Lookup, LookupCell, LookupRow,
    Metric, MetricKind, NumberFormat, Offset, OncePer, Parts, Piece, Placeholder, Points, PushedTable, Rule,
    Scope, Score, Sequence, SequenceKind, SequenceStep, SetTo, Shape, Slot, Source, SourceKind, Status, Step,
    Study, Suppression, Template, Term, Terms, Test, TextTest, Timing, Trial, Trigger, Ttl, Unit, ValueCap,
    Variant, WarmUp, Window, Wording, Zeros,
};

const LOCAL_PARTS: [LocalPart; 7] = {
    use LocalPart::{Clock, Day, HalfOfDay, Month, TwelveHourClock, Weekday, Year};
    [Year, Month, Day, Weekday, Clock, TwelveHourClock, HalfOfDay]
};

fn name() -> impl Strategy<Value = String> {
    "[a-z._é]{0,8}"
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![
        prop::sample::select(
            &[Window::Page, Window::Session, Window::Today, Window::Week, Window::Month][..]
        ),
        Just(Window::Ever),
        any::<u64>().prop_map(Window::Sliding)
    ]
}

fn purposes() -> impl Strategy<Value = Purposes> {
    any::<u16>().prop_map(Purposes)
}

fn list<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(item, 0..4)
}

fn caps() -> impl Strategy<Value = Vec<Cap>> {
    list((any::<u16>(), window()).prop_map(|(limit, window)| Cap { limit, window }))
}

fn plan_event() -> impl Strategy<Value = PlanEvent> {
    let types = [PropertyType::Text, PropertyType::Money, PropertyType::Object];
    let property = (name(), prop::sample::select(types.to_vec()), any::<[bool; 3]>(), list(name())).prop_map(
        |(name, property_type, [required, pii, masked], one_of)| PlanProperty {
            name,
            property_type,
            required,
            pii,
            masked,
            one_of,
        },
    );
    (name(), any::<u16>(), any::<[bool; 4]>(), purposes(), list(property)).prop_map(
        |(
            name,
            version,
            [is_operational, is_server, additional_properties, urgent],
            purposes,
            properties,
        )| PlanEvent {
            name,
            version,
            nature: if is_operational { Nature::Operational } else { Nature::Behavioural },
            trust: if is_server { Trust::Server } else { Trust::Client },
            purposes,
            additional_properties,
            urgent,
            properties,
        },
    )
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let to = prop_oneof![
        name().prop_map(SetTo::Text),
        any::<i64>().prop_map(SetTo::Number),
        any::<bool>().prop_map(SetTo::Bool),
        name().prop_map(SetTo::Property),
        name().prop_map(SetTo::Amount),
    ];
    let scopes = [
        AttributeScope::Session,
        AttributeScope::Visitor,
        AttributeScope::Context,
        AttributeScope::Profile,
        AttributeScope::Account,
    ];
    let types = [
        AttributeType::Text,
        AttributeType::Number,
        AttributeType::Bool,
        AttributeType::Time,
        AttributeType::List,
    ];
    let if_stale = prop::sample::select(&[IfStale::Unknown, IfStale::Missing][..]);
    let ttl = prop::option::of((1..=u64::MAX, if_stale).prop_map(|(ms, if_stale)| Ttl { ms, if_stale }));
    let set = list((name(), to).prop_map(|(event, to)| AttributeSet { event, to }));
    (
        name(),
        prop::sample::select(scopes.to_vec()),
        prop::sample::select(types.to_vec()),
        set,
        purposes(),
        any::<bool>(),
        ttl,
    )
        .prop_map(|(name, scope, attribute_type, set, purpose, private, ttl)| Attribute {
            name,
            scope,
            attribute_type,
            set,
            purpose,
            private,
            ttl,
        })
}

fn fact() -> impl Strategy<Value = Fact> {
    let source = prop_oneof![
        prop::sample::select(Builtin::ALL).prop_map(FactSource::Builtin),
        any::<u16>().prop_map(FactSource::Attribute),
        any::<u16>().prop_map(FactSource::Metric),
        any::<u16>().prop_map(FactSource::Sequence),
        name().prop_map(FactSource::Property),
        Just(FactSource::OwnCurrency),
        any::<[(u16, bool); 2]>().prop_map(|sides| {
            let [first, second] = sides.map(|(fact, is_count)| Term { fact, is_count });
            FactSource::Difference(first, second)
        }),
        any::<(u16, u16)>().prop_map(|(first, second)| FactSource::SameText(first, second)),
        (name(), any::<u16>(), any::<u16>()).prop_map(|(list, passes, fails)| FactSource::AnyItem {
            list,
            passes,
            fails
        }),
        (any::<(i64, u16, u8)>(), name()).prop_map(|((micro, table, column), currency)| {
            FactSource::Amount { micro, currency, table, column }
        }),
        any::<(u16, u16)>().prop_map(|(metric, text)| FactSource::SameCount(metric, text)),
        any::<(u16, u8, u16)>().prop_map(|(table, column, key)| FactSource::Lookup { table, column, key }),
        name().prop_map(FactSource::Item),
        Just(FactSource::Trust),
    ];
    let tests = [TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith, TextTest::MatchesGlob];
    let shape = prop_oneof![
        Just(Shape::Number),
        Just(Shape::Time),
        list(name()).prop_map(Shape::OneOf),
        (prop::sample::select(tests.to_vec()), name()).prop_map(|(test, pattern)| Shape::Text(test, pattern)),
    ];
    (source, shape, any::<Option<i64>>()).prop_map(|(source, shape, default)| {
        // What compares, or looks at items, is a number.
        let is_number = matches!(
            source,
            FactSource::Difference(..) | FactSource::SameText(..) | FactSource::AnyItem { .. }
        );
        let default = default.filter(|_| !matches!(source, FactSource::Amount { .. }));
        Fact { source, shape: if is_number { Shape::Number } else { shape }, default }
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    prop::sample::select(&[Scope::Session, Scope::Visitor, Scope::Profile, Scope::Account][..])
}

fn metric() -> impl Strategy<Value = Metric> {
    (
        name(),
        any::<u64>(),
        name(),
        prop::option::of(0..u16::MAX),
        window(),
        any::<[u16; 2]>(),
        (purposes(), prop::sample::select(MetricKind::ALL), prop::option::of(name()), scope()),
        (any::<bool>(), prop::sample::select(vec![WarmUp::Unknown, WarmUp::Zero, WarmUp::Log])),
    )
        .prop_map(
            |(name, meaning, event, filter, window, [threshold, detail], of_kind, (private, warm_up))| {
                let (purpose, kind, property, scope) = of_kind;
                Metric {
                    name,
                    meaning,
                    kind,
                    event,
                    property,
                    filter,
                    window,
                    scope,
                    threshold,
                    detail,
                    purpose,
                    private,
                    warm_up,
                    of_money: threshold & 1 == 1,
                }
            },
        )
}

fn sequence() -> impl Strategy<Value = Sequence> {
    let step =
        || (name(), prop::option::of(0..u16::MAX)).prop_map(|(event, filter)| SequenceStep { event, filter });
    let kinds = [SequenceKind::Then, SequenceKind::ThenNo, SequenceKind::Absence];
    let events = (list(step()), step(), prop::option::of(step()));
    let rest = (any::<u64>(), any::<u64>(), purposes(), any::<bool>());
    (name(), prop::sample::select(kinds.to_vec()), events, rest).prop_map(|(name, asks, events, rest)| {
        let ((steps, no, without), (meaning, window_ms, purpose, private)) = (events, rest);
        let then_no = (asks == SequenceKind::ThenNo).then_some(no);
        Sequence { name, meaning, asks, steps, then_no, without, window_ms, purpose, private }
    })
}

fn timing() -> impl Strategy<Value = Timing> {
    let trigger =
        (list(name()), any::<bool>()).prop_map(|(events, session_end)| Trigger { events, session_end });
    (prop::option::of(trigger), any::<u64>()).prop_map(|(trigger, after_ms)| Timing { trigger, after_ms })
}

fn emit() -> impl Strategy<Value = Emit> {
    let once =
        prop_oneof![Just(OncePer::Session), any::<u64>().prop_map(OncePer::Time), Just(OncePer::Visitor),];
    let fields = list((name(), any::<u16>()));
    (name(), name(), any::<Option<u16>>(), fields, prop::option::of(once))
        .prop_map(|(to, enter, exit_when, fields, once_per)| Emit { to, enter, exit_when, fields, once_per })
}

fn instruction() -> impl Strategy<Value = Instruction> {
    let test = prop_oneof![
        any::<(i64, i64)>().prop_map(|(low, high)| Test::Range(low, high)),
        any::<u64>().prop_map(Test::Mask),
        any::<u16>().prop_map(Test::MaskWide),
        Just(Test::Missing),
    ];
    let jump = || prop_oneof![(0..60_000u16).prop_map(Jump::To), Just(Jump::Accept), Just(Jump::Reject)];
    (any::<u16>(), test, jump(), jump()).prop_map(|(fact, test, on_true, on_false)| Instruction {
        fact,
        test,
        on_true,
        on_false,
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let hold = prop_oneof![Just(Hold::Page), Just(Hold::Session), any::<u64>().prop_map(Hold::Time)];
    let status = prop::sample::select(&[Status::Live, Status::Draft, Status::Paused][..]);
    let places = (prop::option::of(0..u16::MAX), any::<u16>(), any::<u16>(), prop::option::of(0..u16::MAX));
    let acts = (timing(), terms(), prop::option::of(emit()));
    (name(), any::<i32>(), status, purposes(), places, caps(), hold, any::<bool>(), acts).prop_map(
        |(
            id,
            priority,
            status,
            purpose,
            (when, slot, content, group),
            caps,
            hold,
            in_page,
            (timing, terms, emit),
        )| Rule {
            id,
            priority,
            status,
            purpose,
            when,
            slot,
            content,
            group,
            caps,
            hold,
            in_page,
            timing,
            terms,
            emit,
        },
    )
}

/// Of an experiment that is not there, or that has two variants.
fn terms() -> impl Strategy<Value = Terms> {
    let index = || prop::option::of(0..u16::MAX);
    let trial = prop_oneof![
        Just(Trial { experiment: 9, contents: Vec::new() }),
        [index(), index()].prop_map(|contents| Trial { experiment: 0, contents: contents.into() }),
    ];
    let value = any::<[u16; 3]>().prop_map(|[limit, fact, values_max]| ValueCap { limit, fact, values_max });
    let suppressed_by = prop::collection::btree_set(0..32u16, 0..3).prop_map(|all| all.into_iter().collect());
    let optional = (any::<[Option<u16>; 3]>(), prop::option::of(trial), prop::option::of(value));
    (any::<bool>(), suppressed_by, optional, caps()).prop_map(
        |(service, suppressed_by, ([holdout, until, schedule], trial, per_value), dismissals)| Terms {
            service,
            suppressed_by,
            holdout,
            trial,
            until,
            schedule,
            dismissals,
            per_value,
        },
    )
}

fn deciding() -> impl Strategy<Value = Deciding> {
    let suppression = (name(), any::<u16>()).prop_map(|(name, when)| Suppression { name, when });
    let unit = prop::sample::select(&[Unit::Visitor, Unit::UserOrVisitor][..]);
    let variant = || (name(), any::<u16>()).prop_map(|(name, end)| Variant { name, end });
    let variants = [variant(), variant()].prop_map(Vec::from);
    let experiment = (name(), name(), unit, name(), any::<(u16, u16)>(), variants).prop_map(
        |(name, salt, unit, traffic_salt, traffic, variants)| Experiment {
            name,
            salt,
            unit,
            traffic_salt,
            traffic,
            variants,
        },
    );
    (list(suppression), prop::collection::vec(experiment, 1..3), caps())
        .prop_map(|(suppressions, experiments, caps)| Deciding { suppressions, experiments, caps })
}

fn content() -> impl Strategy<Value = Content> {
    (name(), prop::sample::select(ContentType::ALL), list((name(), name())))
        .prop_map(|(id, content_type, fields)| Content { id, content_type, fields })
}

fn placeholder() -> impl Strategy<Value = Piece> {
    let step = prop_oneof![
        any::<i64>().prop_map(Step::Constant),
        any::<u8>().prop_map(Step::Read),
        prop::sample::select(&[Step::Add, Step::Subtract, Step::Multiply, Step::Divide][..]),
        prop::sample::select(&LOCAL_PARTS[..]).prop_map(Step::Local),
    ];
    let zeros = prop::sample::select(&[Zeros::Drop, Zeros::Pair, Zeros::Keep][..]);
    let number = (any::<u8>(), zeros, any::<bool>(), prop::array::uniform4(name())).prop_map(
        |(decimals, zeros, rounds_up, [point, group, prefix, suffix])| {
            Format::Number(NumberFormat { decimals, zeros, rounds_up, point, group, prefix, suffix })
        },
    );
    let words = prop::collection::vec(name(), 0..=12).prop_map(Format::Words);
    let format = prop_oneof![Just(Format::Text), number, words];
    let escape = prop::sample::select(&[Escape::Text, Escape::Html, Escape::Address, Escape::Json][..]);
    (list(step), format, escape, prop::option::of(name())).prop_map(|(steps, format, escape, otherwise)| {
        Piece::Value(Placeholder { steps, format, escape, otherwise })
    })
}

fn template() -> impl Strategy<Value = Template> {
    let piece = prop_oneof![name().prop_map(Piece::Text), placeholder()];
    let wording =
        (name(), list((name(), list(piece)))).prop_map(|(language, fields)| Wording { language, fields });
    (any::<u16>(), any::<u64>(), list(any::<u16>()), list(wording))
        .prop_map(|(content, meaning, reads, wordings)| Template { content, meaning, reads, wordings })
}

fn edge() -> impl Strategy<Value = EdgeConfig> {
    let kinds = [SourceKind::Browser, SourceKind::Server, SourceKind::Webhook];
    let source = (name(), prop::sample::select(kinds.to_vec()), name())
        .prop_map(|(name, kind, key)| Source { name, kind, key });
    let mode = || prop::sample::select(&[Mode::OptIn, Mode::OptOut, Mode::Exempt][..]);
    let leaf = (name(), any::<u32>(), any::<u32>(), name()).prop_map(|(file, line, column, text)| Leaf {
        file,
        line,
        column,
        text,
    });
    let keep =
        (any::<u64>(), any::<u64>()).prop_map(|(log_ms, quarantine_ms)| Keep { log_ms, quarantine_ms });
    let keep = prop_oneof![Just(Keep::default()), keep];
    let policy = (mode(), list((name(), mode())), any::<u16>(), keep, list((name(), name())), name());
    (list(source), list(name()), policy, list(leaf), judged(), list(pushed())).prop_map(
        |(
            sources,
            origins,
            (consent_mode, consent_regions, policy_version, keep, selectors, consent_sources),
            leaves,
            (goals, studies),
            pushed,
        )| EdgeConfig {
            sources,
            origins,
            consent_mode,
            consent_regions,
            policy_version,
            consent_sources,
            keep,
            capture: selectors.clone(),
            identity: selectors.clone(),
            selectors,
            leaves,
            goals,
            studies,
            pushed,
            // It names a table that must be there.
            rates: None,
        },
    )
}

fn judged() -> impl Strategy<Value = (Vec<Goal>, Vec<Study>)> {
    let trust = prop::sample::select(&[Trust::Client, Trust::Server][..]);
    let value = prop::option::of("[a-z]{1,4}");
    let goal = (name(), name(), value, trust, prop::option::of(1..u64::MAX))
        .prop_map(|(name, event, value, trust, within_ms)| Goal { name, event, value, trust, within_ms });
    prop::collection::vec(goal, 1..4).prop_flat_map(|goals| {
        let place = 0..u16::try_from(goals.len()).unwrap();
        let study = (name(), prop::option::of(place.clone()), list(place))
            .prop_map(|(experiment, primary, guardrails)| Study { experiment, primary, guardrails });
        (Just(goals), list(study))
    })
}

fn pushed() -> impl Strategy<Value = PushedTable> {
    let columns = list((name(), prop::sample::select(ColumnKind::ALL)));
    (name(), prop::option::of(0..u16::MAX), name(), columns, prop::option::of(1..u64::MAX))
        .prop_map(|(name, table, key, columns, ttl_ms)| PushedTable { name, table, key, columns, ttl_ms })
}

fn lookup() -> impl Strategy<Value = Lookup> {
    let number = (i64::MIN + 1..=i64::MAX).prop_map(LookupCell::Number);
    let cells = move |texts: &[bool]| -> Vec<BoxedStrategy<LookupCell>> {
        let of = |is_text: &bool| match is_text {
            true => prop_oneof![Just(LookupCell::Missing), name().prop_map(LookupCell::Text)].boxed(),
            false => prop_oneof![Just(LookupCell::Missing), number.clone()].boxed(),
        };
        texts.iter().map(of).collect()
    };
    prop::collection::vec(any::<bool>(), 0..4).prop_flat_map(move |texts| {
        let rows = list((name(), cells(&texts)).prop_map(|(key, cells)| LookupRow { key, cells }));
        let feed = prop::sample::select(&[Feed::Published, Feed::Pushed, Feed::Dated][..]);
        (name(), Just(texts), feed, rows).prop_map(|(name, texts, feed, rows)| Lookup {
            name,
            texts,
            feed,
            rows,
        })
    })
}

pub fn parts() -> impl Strategy<Value = Parts> {
    let site = (name(), name(), any::<u32>(), prop::option::of(edge()), list(plan_event()));
    let tested = (
        list(attribute()),
        list(fact()),
        list(metric()),
        list(sequence()),
        list(instruction()),
        list(list(any::<u64>())),
    );
    let slot = (name(), prop::option::of(0..u16::MAX), caps()).prop_map(|(name, fallback, caps)| Slot {
        name,
        fallback,
        caps,
    });
    let group = (name(), prop::option::of(0..u16::MAX), caps())
        .prop_map(|(name, max_per_page, caps)| Group { name, max_per_page, caps });
    let points = (name(), prop::option::of(0..u16::MAX), any::<i64>())
        .prop_map(|(event, filter, micro)| Points { event, filter, micro });
    let score = (any::<u64>(), any::<[i64; 2]>(), list(points))
        .prop_map(|(half_life_ms, [min, max], points)| Score { half_life_ms, min, max, points });
    let zone =
        list((any::<u32>(), any::<i16>()).prop_map(|(from_minute, minutes)| Offset { from_minute, minutes }));
    let changes = [CartChange::Adds, CartChange::Removes, CartChange::Empties];
    let cart = (name(), prop::sample::select(changes.to_vec()), purposes())
        .prop_map(|(event, does, purpose)| CartEvent { event, does, purpose });
    let settled = prop::collection::btree_set(any::<u16>(), 0..4);
    let zone = (zone, settled.prop_map(|places| places.into_iter().collect()));
    let rest = (zone, list(score), deciding(), list(cart), list(lookup()));
    let templates = (list(fact()), list(template()));
    (site, tested, (list(rule()), list(slot), list(group), list(content()), rest), templates).prop_map(
        |(site, tested, shown, (values, templates))| {
            let (site, currency, late_ms, edge, events) = site;
            let (attributes, facts, metrics, sequences, code, masks) = tested;
            let (rules, slots, groups, contents, ((zone, settled), scores, deciding, cart, lookups)) = shown;
            let mut parts = Parts {
                cart,
                lookups,
                site,
                currency,
                late_ms,
                edge,
                sequences,
                values,
                templates,
                ..Parts::default()
            };
            parts.plan.events = events;
            Parts {
                attributes,
                facts,
                metrics,
                code,
                masks,
                rules,
                slots,
                groups,
                contents,
                zone,
                settled,
                scores,
                deciding,
                ..parts
            }
        },
    )
}
