//! The parts of a pack file, one reader each.

use crate::figure;
use crate::read::{Node, ReadError};

use super::{
    AddedException, Choice, Condition, Conflict, DateRow, Derive, Enforcement, EnforcementState,
    PackKind, Penalty, Phase, RequirementKind, RequirementText, Rewording, Transition,
};

/// The fields a pack may have.
pub(crate) const PACK_FIELDS: [&str; 32] = [
    "short",
    "schema",
    "id",
    "version",
    "title",
    "jurisdiction",
    "kind",
    "binding",
    "citation",
    "source_urls",
    "confidence",
    "notes",
    "watch",
    "status",
    "source",
    "timeline",
    "applies",
    "choose",
    "transition",
    "derive",
    "penalty",
    "enforcement",
    "exception",
    "rewording",
    "requirement",
    "clock",
    "amendment",
    "scope",
    "definition",
    "soft_law",
    "predecessor",
    "related",
];

pub(crate) fn pack_kind(node: &Node) -> Result<PackKind, ReadError> {
    let kinds = [
        "statute",
        "regulation",
        "local_law",
        "guidance",
        "standard",
        "framework",
        "bill",
    ];
    Ok(match node.one_of(kinds)?.as_str() {
        "statute" => PackKind::Statute,
        "regulation" => PackKind::Regulation,
        "local_law" => PackKind::LocalLaw,
        "guidance" => PackKind::Guidance,
        "standard" => PackKind::Standard,
        "framework" => PackKind::Framework,
        _ => PackKind::Bill,
    })
}

pub(super) fn condition(node: &Node) -> Result<Condition, ReadError> {
    Ok(Condition {
        text: node.words()?,
        node: node.clone(),
    })
}

fn conditions(node: Option<&Node>) -> Result<Vec<Condition>, ReadError> {
    node.map_or(Ok(Vec::new()), |node| {
        node.list()?.iter().map(condition).collect()
    })
}

fn words(node: &Node, key: &str) -> Result<Option<String>, ReadError> {
    node.get(key)?.map(Node::words).transpose()
}

pub(crate) fn date_row(node: &Node) -> Result<DateRow, ReadError> {
    node.only(&[
        "from",
        "to",
        "known",
        "until_known",
        "cite",
        "when",
        "dormant_until",
        "reason",
        "interpretation",
        "unconfirmed",
        "note",
    ])?;
    let date = |key: &str| node.get(key)?.map(Node::date).transpose();
    let row = DateRow {
        from: node.need("from")?.date()?,
        to: date("to")?,
        known: node.need("known")?.date()?,
        until_known: date("until_known")?,
        cite: node.need("cite")?.words()?,
        when: node.get("when")?.map(condition).transpose()?,
        dormant_until: words(node, "dormant_until")?,
        reason: words(node, "reason")?,
        unconfirmed: words(node, "unconfirmed")?,
    };
    if row.to.is_some_and(|to| to <= row.from) {
        return Err(node.wrong(format!(
            "it governs from {} but ends before; put the earlier date in `from`",
            row.from
        )));
    }
    if row.until_known.is_some_and(|until| until <= row.known) {
        return Err(node.wrong(format!(
            "known from {} but superseded before; put the earlier date in `known`",
            row.known
        )));
    }
    Ok(row)
}

pub(crate) fn choice(node: &Node) -> Result<Choice, ReadError> {
    node.only(&["group", "when"])?;
    Ok(Choice {
        group: node.need("group")?.words()?,
        when: node.get("when")?.map(condition).transpose()?,
    })
}

pub(crate) fn transition(node: &Node) -> Result<Transition, ReadError> {
    node.only(&["groups", "when", "effect", "from", "cite"])?;
    let from = node.get("from")?.map(Node::date).transpose()?;
    if from.is_none() {
        node.need("effect")?.one_of(["not_applicable"])?;
    }
    Ok(Transition {
        groups: node.need("groups")?.texts()?,
        when: condition(node.need("when")?)?,
        from,
        cite: node.need("cite")?.words()?,
    })
}

pub(crate) fn derive(node: &Node) -> Result<Derive, ReadError> {
    node.only(&[
        "fact",
        "rule",
        "unless",
        "cite",
        "note",
        "unconfirmed",
        "known",
        "until_known",
    ])?;
    let date = |key: &str| node.get(key)?.map(Node::date).transpose();
    Ok(Derive {
        fact: node.need("fact")?.words()?,
        rule: condition(node.need("rule")?)?,
        unless: conditions(node.get("unless")?)?,
        cite: words(node, "cite")?.unwrap_or_default(),
        note: words(node, "note")?,
        unconfirmed: words(node, "unconfirmed")?,
        known: date("known")?,
        until_known: date("until_known")?,
    })
}

pub(crate) fn enforcement(node: &Node) -> Result<Enforcement, ReadError> {
    node.only(&["state", "from", "until", "known", "cite", "note", "groups"])?;
    let date = |key: &str| node.get(key)?.map(Node::date).transpose();
    let state = match node
        .need("state")?
        .one_of(["grace", "stayed", "no_fines"])?
        .as_str()
    {
        "grace" => EnforcementState::Grace,
        "stayed" => EnforcementState::Stayed,
        _ => EnforcementState::NoFines,
    };
    Ok(Enforcement {
        state,
        from: date("from")?,
        until: date("until")?,
        known: node.need("known")?.date()?,
        cite: node.need("cite")?.words()?,
        note: words(node, "note")?,
        groups: texts(node, "groups")?,
    })
}

pub(crate) fn added_exception(node: &Node) -> Result<AddedException, ReadError> {
    node.only(&["to", "unless", "cite", "known", "until_known"])?;
    Ok(AddedException {
        to: node.need("to")?.words()?,
        unless: condition(node.need("unless")?)?,
        cite: node.need("cite")?.words()?,
        known: node.need("known")?.date()?,
        until_known: node.get("until_known")?.map(Node::date).transpose()?,
    })
}

pub(crate) fn rewording(node: &Node) -> Result<Rewording, ReadError> {
    node.only(&[
        "requirement",
        "what",
        "how",
        "evidence",
        "controls",
        "role",
        "cite",
    ])?;
    let list = |key: &str| node.get(key)?.map(Node::texts).transpose();
    let evidence = list("evidence")?;
    if evidence.as_ref().is_some_and(Vec::is_empty) {
        return Err(node.wrong(
            "`evidence` must name at least one kind, or nothing could ever meet this requirement",
        ));
    }
    Ok(Rewording {
        requirement: node.need("requirement")?.words()?,
        what: words(node, "what")?,
        how: words(node, "how")?,
        evidence,
        controls: list("controls")?,
        role: node
            .get("role")?
            .map(|role| role.one_of(ROLES))
            .transpose()?,
        cite: node.need("cite")?.words()?,
        node: node.clone(),
    })
}

fn conflict(node: &Node) -> Result<Conflict, ReadError> {
    node.only(&["with", "why"])?;
    Ok(Conflict {
        with: node.need("with")?.words()?,
        why: node.need("why")?.words()?,
    })
}

fn texts(node: &Node, key: &str) -> Result<Vec<String>, ReadError> {
    node.get(key)?.map_or(Ok(Vec::new()), Node::texts)
}

pub(crate) fn penalty(node: &Node) -> Result<Penalty, ReadError> {
    node.only(&[
        "max",
        "cite",
        "currency",
        "amount",
        "turnover_percent",
        "note",
    ])?;
    let integer = |key: &str| node.get(key)?.map(Node::integer).transpose();
    Ok(Penalty {
        max: node.need("max")?.words()?,
        cite: node.need("cite")?.words()?,
        currency: words(node, "currency")?,
        amount: integer("amount")?,
        turnover_percent: integer("turnover_percent")?,
    })
}

/// The roles that own requirements.
pub const ROLES: [&str; 7] = [
    "officer",
    "legal",
    "engineer",
    "system_owner",
    "privacy",
    "risk",
    "security",
];

pub(crate) fn requirement(node: &Node) -> Result<RequirementText, ReadError> {
    node.only(&[
        "id",
        "kind",
        "who",
        "what",
        "how",
        "cite",
        "when",
        "unless",
        "applies",
        "phase",
        "evidence",
        "controls",
        "penalty",
        "role",
        "deadline",
        "frequency",
        "replaces",
        "clocks",
        "figures",
        "conflicts",
        "unconfirmed",
        "unconfirmed_detail",
        "numbers",
        "note",
    ])?;
    let kind = match node.get("kind")? {
        None => RequirementKind::Duty,
        Some(kind) => match kind
            .one_of([
                "duty",
                "prohibition",
                "condition",
                "safe_harbour",
                "risk",
                "gap",
            ])?
            .as_str()
        {
            "duty" => RequirementKind::Duty,
            "prohibition" => RequirementKind::Prohibition,
            "condition" => RequirementKind::Condition,
            "safe_harbour" => RequirementKind::SafeHarbour,
            "risk" => RequirementKind::Risk,
            _ => RequirementKind::Gap,
        },
    };
    let phase = match node
        .need("phase")?
        .one_of(["organisation", "before_use", "in_use", "on_event"])?
        .as_str()
    {
        "organisation" => Phase::Organisation,
        "before_use" => Phase::BeforeUse,
        "in_use" => Phase::InUse,
        _ => Phase::OnEvent,
    };
    let evidence = texts(node, "evidence")?;
    let asks = matches!(
        kind,
        RequirementKind::Duty | RequirementKind::Prohibition | RequirementKind::Condition
    );
    if asks && evidence.is_empty() {
        return Err(node.wrong(
            "`evidence` must name at least one kind, or nothing could ever meet this requirement",
        ));
    }
    Ok(RequirementText {
        id: node.need("id")?.words()?,
        kind,
        who: texts(node, "who")?,
        what: node.need("what")?.words()?,
        how: node.need("how")?.words()?,
        cite: node.need("cite")?.words()?,
        when: condition(node.need("when")?)?,
        unless: conditions(node.get("unless")?)?,
        applies: texts(node, "applies")?,
        phase,
        evidence,
        controls: texts(node, "controls")?,
        penalty: words(node, "penalty")?,
        role: node.need("role")?.one_of(ROLES)?,
        deadline: words(node, "deadline")?,
        frequency: words(node, "frequency")?,
        replaces: texts(node, "replaces")?,
        clocks: texts(node, "clocks")?,
        figures: node.each("figures", figure::figure)?,
        conflicts: node.each("conflicts", conflict)?,
        unconfirmed: words(node, "unconfirmed")?,
        unconfirmed_detail: words(node, "unconfirmed_detail")?,
    })
}
