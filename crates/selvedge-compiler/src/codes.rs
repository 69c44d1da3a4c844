//! Every code a diagnostic can have. The doc comment of a code is its page in docs/diagnostics.md; the file
//! `diagnostics/<code>.yaml` is an example that triggers it, and `diagnostics/<code>.diff` mends the example.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No program is made.
    Error,
    /// A program is made; look at this.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $code:ident = $severity:ident, $title:literal;)*) => {
        /// A diagnostic's code. Codes are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])* $code,)* }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// The code as it is printed.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// What is wrong, in a few words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }

            /// Why it is an error or a warning, and what to do: Markdown.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc, "\n",)*),)* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }

            /// A file that triggers it. Its first line names the file of the site that it stands for.
            #[must_use]
            pub const fn example(self) -> &'static str {
                match self {
                    $(Self::$code => include_str!(concat!("../diagnostics/", stringify!($code), ".yaml")),)*
                }
            }

            /// What mends [`Code::example`], as lines taken out (`-`), put in (`+`) and left (` `), behind a line
            /// `@@ FILE` each. Where nothing is taken out or left, the lines are the whole file.
            #[must_use]
            pub const fn mend(self) -> &'static str {
                match self {
                    $(Self::$code => include_str!(concat!("../diagnostics/", stringify!($code), ".diff")),)*
                }
            }
        }
    };
}

codes! {
    /// A site needs at least `site.yaml` and `tracking-plan.yaml`. `rules.yaml` and `content.yaml` may be left out
    /// until there is a rule to write.
    E0001 = Error, "a file is missing";
    /// A site's folder holds `site.yaml`, `tracking-plan.yaml`, `rules.yaml` and `content.yaml`. Another YAML file
    /// beside them is read by nobody, which is hardly what was meant.
    E0002 = Error, "a file that nothing reads";
    /// The file is not valid YAML 1.2. The position is where reading stopped; the cause is often on the line above.
    E0003 = Error, "not valid YAML";
    /// A key stands twice in one mapping. YAML would keep one of them without a word.
    E0004 = Error, "a key stands twice";
    /// The key has no meaning here. It is refused so that a misspelt key never does nothing.
    E0005 = Error, "an unknown key";
    /// A key that has no default is missing, or an empty value stands where one is needed.
    E0006 = Error, "a key is missing";
    /// The value has another form than its key takes: a list where a text is expected, a text where a whole number is.
    E0007 = Error, "a value of the wrong form";
    /// The key or the word is a good one elsewhere, but here the same is called or reached otherwise. It is refused, never
    /// ignored, and the help says what to write. (`on:` is `trigger:` here: in YAML 1.1 `on` means `true`, so that other
    /// tools would change the key.)
    E0008 = Error, "said otherwise here";
    /// In YAML a `!` begins a tag, which vanishes from the value: `when: ! x` would mean `when: x`, the opposite.
    /// Write `not`, or quote the whole value.
    E0009 = Error, "a YAML tag";
    /// In an unquoted value ` #` begins a comment: what follows is silently no part of the condition. Put the comment
    /// on its own line, or quote the condition if the `#` belongs to it.
    E0010 = Error, "a comment behind an unquoted condition";
    /// Within `{...}` and `[...]` an unquoted value ends at a comma or a bracket, so a condition that contains one is
    /// cut in pieces. Write the mapping in block style, one key a line.
    E0011 = Error, "flow style around a condition";
    /// A line that looks like a key is indented deeper than the value above it, so that YAML reads it as more of that
    /// value. Indent it like the other keys.
    E0012 = Error, "a key swallowed by the value above it";
    /// Anchors (`&x`), aliases (`*x`), merge keys (`<<`) and several documents in one file are not part of the
    /// language: everything is written where it is meant.
    E0013 = Error, "an anchor, an alias or a second document";
    /// Names are stored, logged and written in conditions, so they keep to letters, digits, `_`, and, depending on the
    /// kind of name, `.` or `-`.
    E0014 = Error, "not a name";
    /// The value is not one of the words that its key takes.
    E0015 = Error, "an unknown word";
    /// A number, a length or a count is outside its bounds.
    E0016 = Error, "out of bounds";
    /// A cap is a whole number of exposures, `per`, and `page`, `session` or a duration: `2 per session`,
    /// `1 per 24h`; several are separated by commas and all of them hold. A duration is counted back from now, not by the
    /// calendar: `1 per 24h` in place of `1 per day`.
    E0017 = Error, "not a cap";
    /// A duration is a whole number and one unit, without a space: `30s`, `10m`, `24h`, `7d`; at most 366 days.
    E0018 = Error, "not a duration";

    /// The character begins nothing that a condition can hold.
    E0101 = Error, "an unexpected character";
    /// A text in a condition has no closing quote.
    E0102 = Error, "a text without its closing quote";
    /// Something else is expected at this place of the condition.
    E0103 = Error, "a condition that cannot be read";
    /// The operator is written as in a programming language. Conditions use `and`, `or`, `not`, `=` and `!=`.
    E0104 = Error, "an operator of another language";
    /// A condition may be nested so deep, not deeper. Name parts of it as audiences.
    E0105 = Error, "nested too deep";
    /// A condition has a largest length. Name parts of it as audiences.
    E0106 = Error, "too long";
    /// A metric inside a condition needs parentheses, because its own `where` contains conditions and its window
    /// begins with `in`. Or name it under `metrics`.
    E0107 = Error, "a metric without parentheses";

    /// The name is no built-in fact, attribute, metric or audience.
    E0201 = Error, "an unknown name in a condition";
    /// The tracking plan does not list the event.
    E0202 = Error, "an unknown event";
    /// The tracking plan does not list the property for this event.
    E0203 = Error, "an unknown property";
    /// `site.yaml` does not list the slot.
    E0204 = Error, "an unknown slot";
    /// `content.yaml` does not hold the content.
    E0205 = Error, "an unknown content";
    /// `groups` does not list the group.
    E0206 = Error, "an unknown group";
    /// Built-in facts, attributes, metrics and audiences share one space of names, and a rule's id is its own for
    /// ever: its caps are kept under it.
    E0207 = Error, "a name taken twice";
    /// An audience must not, over other audiences, mean itself.
    E0208 = Error, "audiences in a circle";
    /// `where` reads properties of the event that is counted; other facts belong into the condition that uses the
    /// count.
    E0209 = Error, "a fact inside `where`";

    /// Events are used only for what their `purposes` list. A rule counts and reads events for its own purpose, so an
    /// event without that purpose would never be counted, and the condition could never become true.
    E0210 = Error, "an event that may not be used for this";

    /// Page views and sessions are a visitor's own: a metric in such a window is never that of a visitor's whole life, of a
    /// profile or of an account. Remove `of ...`, or write a longer window.
    E0220 = Error, "a scope that cannot hold the window";

    /// `any`, `all` and `none` look at the items of an event's own list, so they stand in the `where` of a count of that
    /// event. Of a list attribute, ask `contains`.
    E0230 = Error, "items outside `where`";
    /// `lists` in `site.yaml` does not name the list.
    E0231 = Error, "an unknown list";
    /// A time is compared with a day (`"2026-12-24"`: all of it, in UTC) or with a moment with its offset from UTC
    /// (`"2026-12-24T18:00:00+01:00"`).
    E0232 = Error, "neither a day nor a moment";
    /// The first in a window that slides would take keeping all of them. The first of a session, of a day, week or month of the
    /// calendar, or of all is kept.
    E0233 = Error, "the first of a window that slides";
    /// `lookups` in `site.yaml` does not name the table, or its file has no such column.
    E0234 = Error, "an unknown lookup or column";

    /// The two sides of a comparison are of different types, so that it could never be true.
    E0301 = Error, "different types";
    /// The operator does not fit the type: `<` needs numbers, `contains` needs text.
    E0302 = Error, "an operator for another type";
    /// Only yes-or-no facts and audiences are conditions by themselves; others need a comparison.
    E0303 = Error, "not a condition by itself";
    /// An amount of money is compared with an amount in the site's currency: `50 EUR`. Amounts of other currencies need
    /// rates: a lookup that `rates` in `site.yaml` names. Without them nothing is known of amounts in another currency.
    E0304 = Error, "money without the site's currency";
    /// A count is a whole number from 0.
    E0305 = Error, "a count compared with something else";
    /// A count has a largest number, above which it does not count on.
    E0306 = Error, "a threshold above what is counted";
    /// The fact can only have certain values, and this is none of them, so the comparison could never be true.
    E0307 = Error, "a value that the fact never has";
    /// The part of the condition can be true for no value, or is true for every one: something else was meant.
    E0308 = Error, "never or always true";
    /// Rules read numbers in millionths: at most six decimals, and whole parts up to 9,223,372,036,853.
    E0309 = Error, "a number that does not fit";
    /// Facts kept in the visitor's state are cut at a largest length; a longer text could never be equal to one.
    E0310 = Error, "a text longer than what is kept";
    /// Nothing ever gives the attribute a value.
    E0311 = Error, "an attribute that is never set";
    /// What an event sets an attribute to has another type than the attribute.
    E0312 = Error, "an attribute set to another type";
    /// What a suppression means where its condition is unknown must be chosen: `on_unknown: suppress` keeps the rules off
    /// then too (for what must never be shown wrongly), `on_unknown: allow` lets them act.
    E0320 = Error, "a suppression that does not say what unknown means";
    /// No experiment or goal has this name; or an experiment, audience or goal is named where a rule or group belongs.
    E0321 = Error, "an unknown experiment, goal or rule";
    /// A share is a percentage with at most two decimals: `5%`. Experiments of one layer take stretches of it that do not
    /// overlap: `traffic: 0%-30%` beside `traffic: 30%-60%`.
    E0322 = Error, "a share that is none, or that is taken";
    /// An experiment compares at least two variants, whose shares are not all 0. A variant without `content` is a control.
    E0323 = Error, "an experiment that compares nothing";
    /// A service notice acts without consent, holdout and the caps of others: it has the purpose `necessary`, and belongs to
    /// no experiment.
    E0324 = Error, "a service notice that is more";
    /// A goal that only a server may reach (`trust: server`) needs an event that only servers may send.
    E0325 = Error, "a goal that cannot be trusted";
    /// Days of the week are `mon` to `sun`, hours `"08:00-18:00"`, days `2026-12-24` or, under `except`, also
    /// `12-24..12-26` of every year.
    E0326 = Error, "a schedule that names no time";
    /// `no E in session` asks whether a count is 0: it is yes or no, so it is a condition. Name conditions under
    /// `audiences`. (`no E for 10m` may be named under either.)
    E0340 = Error, "an absence in a window under `metrics`";
    /// A sequence has so many events that follow each other, not more.
    E0341 = Error, "too many events in a sequence";
    /// `site.yaml` does not list the destination.
    E0342 = Error, "an unknown destination";
    /// A destination says for which purposes it may be told of a visitor. A rule of another purpose does not send to it.
    E0343 = Error, "a message for a purpose that its destination does not have";
    /// What goes with a message are facts of the visitor, by their names: `cart.value`, `loyalty_tier`, a metric.
    E0344 = Error, "a field of a message that is no fact";


    /// What a visitor's state may need in the worst case is proven here, and has a bound. Fewer or shorter sliding
    /// windows, smaller thresholds, fewer caps, fewer built-in facts of the page (each is kept for every open tab) bring it
    /// down. What rules do not read is not kept. `selvedge inspect` shows what takes how much.
    E0401 = Error, "the visitor's state could grow too large";
    /// The program is above a bound: rules, slots, tests of one condition with its audiences written out, instructions
    /// or bytes; or it is not accepted by what must run it.
    E0402 = Error, "the program is too large";
    /// A content could run code in the page: an event handler, a scripting address, a document inside an attribute.
    E0403 = Error, "a content that could run code";

    /// A list or a lookup reads a CSV file of the site's folder: a header line with the columns' names, then rows with as
    /// many cells.
    E0430 = Error, "a CSV file that cannot be read";

    /// A lookup is a CSV file of the site's folder (`from: csv catalog.csv`), as old as the publish it came with; or its rows
    /// are pushed to the edge (`from: push`), with the columns that are written, and known for `ttl`.
    E0720 = Error, "a lookup that cannot be";

    /// `warm_up` says what a metric makes of what happened before it was there: `zero` takes it for nothing, `log` reads the
    /// visitor's part of the log. Neither can be said of a sequence or an absence, and accounts have no part of the log.
    E0730 = Error, "a warm-up that cannot be";
    /// `rates` in `site.yaml` names a lookup whose key is the currency (`USD`), with a column `rate` of numbers above 0: what one
    /// of it is worth in the site's currency.
    E0760 = Error, "rates that cannot be read";

    /// A test names a fact or a rule that the site does not have. Counts, sums and audiences cannot be given: send the
    /// events that make them.
    E0501 = Error, "an unknown name in a test";
    /// An event of a test is one line: the time since the beginning, the event's name, and its properties in braces:
    /// `"10s product_view {category: shoes}"`. YAML needs the quotes, because of the colon. What does not fit into a line
    /// is written as a mapping with `at`, `event`, `properties`, `context`, `tab` and `member`.
    E0502 = Error, "an event of a test that cannot be read";
    /// The tracking plan would refuse the event, so that no rule would ever see it.
    E0503 = Error, "an event of a test that the tracking plan refuses";
    /// The expectation could never be met: no rule shows the content in this slot, and it is not the slot's fallback.
    E0504 = Error, "an expectation that cannot be met";
    /// Times of a test count from its beginning: `0s`, `70s`, `1h30m`, in the order in which things happen. `now` is a day
    /// and a time on the clocks of the site: `2026-03-29T01:30`.
    E0505 = Error, "a time of a test that cannot be";
    /// `why` names a fact that the rule in the slot tests, and what it was: `why: shoe_views = 2`,
    /// `why: loyalty_tier is unknown`.
    E0506 = Error, "a reason of a test that cannot be read";
    /// A placeholder names a fact, or computes with some, and says what stands there while that is unknown:
    /// `{{50 EUR - cart.value else 0 EUR}}`, `{{score.lead as 0 else "no"}}`.
    E0601 = Error, "a placeholder that cannot be read";
    /// A value that may be unknown needs an `else`. None is needed where every rule that shows the content is true only
    /// while the value is known: where its condition compares it (a number with an upper bound, `between`).
    E0602 = Error, "a value that may be unknown";
    /// A value is text wherever it stands, but in some places no text is safe: the name of a tag or an attribute, the host
    /// of an address, `class`, `target`. Values may stand between tags, in `title`, `alt`, `aria-...` and `data-...`, and in
    /// an address behind its host.
    E0603 = Error, "a value where it cannot be made safe";
    /// Numbers and amounts of money can be computed and written; texts are only written; times are written `as date`, `as day` or
    /// `as time`; yes or no has no words.
    E0604 = Error, "a value that cannot be written so";
    /// Markup holds the elements of text, links, lists, images and tables, each closed, with attributes in quotes.
    /// Nothing in it can run code.
    E0605 = Error, "markup that a content may not hold";
    /// Languages are chosen by the visitor's `language`: `de-AT`, else `de`, else what stands beside `locales`.
    E0606 = Error, "a language that cannot be chosen";
    /// A slot's fallback is shown by the page itself, which does not know what is private or known at the edge only.
    E0607 = Error, "a fallback that the page cannot write";

    /// A destination's `when` reads the record that is about to leave: its columns (`name`, `slot`, `reason`), `properties.x`,
    /// `context.x` and `fields.x`. What is known of the visitor has moved on when the record leaves, so it is not there: a rule
    /// that must tell something of the visitor says it with `emit` and `fields`.
    E0801 = Error, "a condition on what no record holds";
    /// The edge connects to public hosts by `https://`, written in the usual way: no address of a private or reserved network,
    /// no name that only one network knows, no user before `@`, no number in octal or hexadecimal, no dot at the end.
    E0802 = Error, "an address that the edge does not connect to";
    /// Secrets stand in the deployment (`wrangler secret put`), never in a site's files, nor in an address, which is logged. Here
    /// stands the name of the secret: capital letters, digits and `_`.
    E0803 = Error, "a secret where its name belongs";
    /// What is removed or renamed is a path in a record: a column, `properties.x` of an event of the tracking plan, `context.x`,
    /// `fields.x`; `properties.*` is all of them.
    E0804 = Error, "a path that no record has";
    /// `record`, `id`, `site`, `visitor`, `time` and `time_ms` say which record it is, and a new name must be free: nothing may
    /// be lost.
    E0805 = Error, "a field that cannot be removed or renamed so";
    /// A user and password go to a public broker over TLS only.
    E0806 = Error, "a login in the open";
    /// How much may wait for a destination, in each shard: `500kB`, `64MB`, `1GB`.
    E0807 = Error, "not a size";
    /// What the consumer of a queue cannot take goes to another queue, where somebody looks at it.
    E0808 = Error, "a queue that is its own dead-letter queue";
    /// An entry of a data layer becomes an event of the tracking plan: one that the site describes, or one of the default plan
    /// that `capture` switches on (`ecommerce: true`). Another would be dropped in the page, entry by entry.
    E0860 = Error, "a data layer that becomes an unknown event";
    /// What a consent platform says is read along a path of names and calls without arguments, from the window on: `a.b().c`.
    /// Nothing is run that is not such a path. What is listened to is the name of an event of the window, or a path that takes a
    /// callback: `OneTrust.OnConsentChanged()`, `Didomi.on(consent.changed)`, `klaro.getManager().watch({update})`.
    E0870 = Error, "a path that no page follows";
    /// The IAB's framework has the purposes 1 to 11.
    E0871 = Error, "a purpose that the framework does not have";
    /// Under the profile `cnil` audiences are measured before anybody is asked. The exemption ends where a third party is told:
    /// a destination that takes events of `analytics` alone would be told of visitors who were never asked. Records of type `log`
    /// stay in your own deployment.
    E0872 = Error, "a third party that is told what nobody was asked for";
    /// Either Consent Mode says what the visitor answered, or it is told so. Both at once would go round in a circle: what was
    /// told would count as an answer.
    E0873 = Error, "Consent Mode that is read and told";
    /// A metric of all time (`in ever`) that is new to visitors who are there already could never be known of them: what they
    /// did before it was there is lost to it. Say what to make of that: `warm_up: log` reads it from the log, `warm_up: zero` takes it for nothing. Found where a
    /// site is checked beside the program in force: `selvedge publish` fetches it (`--force` publishes all the same),
    /// `selvedge check --against PROGRAM` takes a file.
    E0420 = Error, "a new metric that would never be known";

    /// Nothing uses it. It costs nothing (it is left out of the program), but often a misspelt use is behind it.
    W0001 = Warning, "declared but never used";
    /// Two rules of one slot have the same priority, so that the order of their ids decides.
    W0002 = Warning, "equal priority in one slot";
    /// The rule acts without the visitor's consent. That is right only for what the page cannot work without.
    W0003 = Warning, "a rule that needs no consent";

    /// Above this rule, in the same slot, stands one that is always true, or true whenever this one is, and that neither caps
    /// nor a group, a schedule, an experiment or anything else keeps from the slot. Give the upper one a condition that leaves
    /// something to this one, or a lower priority.
    W0501 = Warning, "a rule that never wins";
    /// Several caps hold together, and another of them stops the rule before this one does: of `1 per 24h, 9 per 7d` the
    /// second is never reached.
    W0502 = Warning, "a cap that is never reached";
    /// No values of the facts make the whole condition true, though each of its parts can be.
    W0503 = Warning, "a condition that is never true";
    /// Whatever values its facts have, the condition is true: it tests nothing but that they are known.
    W0504 = Warning, "a condition that is always true";
    /// The condition asks what somebody is *not*, of a fact that only `identify` and `group` tell. Of anonymous visitors the
    /// fact is unknown, and what is unknown is neither equal nor unequal to anything: the rule is for known visitors only.
    W0505 = Warning, "never true for anonymous visitors";
    /// The condition cannot be true without a fact of the account, and the edge keeps no state of accounts: there the fact is
    /// unknown, and the rule never acts. `selvedge test` steps accounts all the same. Ask what the visitor did, or what
    /// `identify` says of them.
    W0506 = Warning, "never true while accounts are not kept";

    /// The cart and attributes are kept once: with the purposes of all rules that read them. Where a visitor grants one of these
    /// purposes and not the other, neither rule knows the fact. A metric is kept once for each purpose, so that each rule
    /// goes by its own consent.
    W0740 = Warning, "a fact that rules of two purposes share";

    /// The address is this machine's own. A worker sends there only in development (`DEV_LOOPBACK=1`, which `cargo xtask dev`
    /// sets); every other refuses a site that names it when it is published.
    W0801 = Warning, "an address for development only";
    /// The destination names kinds of records that the site does not have, or purposes that nothing serves. A destination of
    /// type `log` is there to be named by `emit`.
    W0802 = Warning, "a destination that takes nothing";
}

impl std::fmt::Display for Code {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let known = Self::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(text));
        known.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

/// A code that no diagnostic has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCode(pub String);

impl std::error::Error for UnknownCode {}

impl std::fmt::Display for UnknownCode {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "no diagnostic has the code {:?}; docs/diagnostics.md lists them", self.0)
    }
}
