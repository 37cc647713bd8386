//! Who calls, and what he may do where.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use fenghuo_api::identity::v1 as pb;
use fenghuo_durable::{Code, Error, Result, SpaceId, wall};
use futures::future::BoxFuture;
use http::{HeaderMap, header};
use jiff::Timestamp;

use crate::ending::Ending;
use crate::province_code::jurisdiction_prefix;
use crate::rules::{Access, Rule, rule_of};
use crate::status::to_status;

/// How often the session of an open stream is looked at.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Metadata that names the space of a call.
pub const SPACE_HEADER: &str = "fenghuo-space";

/// What a person may do. Roles do not include each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Takes reports, keeps facts and clocks, drafts, acknowledges.
    DutyOfficer,
    /// Decides grades, approves notifications, closes.
    Commander,
    /// Speaks with partners.
    Liaison,
    /// People, grants, partners, the node.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Role] = &[Role::Viewer, Role::DutyOfficer, Role::Commander, Role::Liaison, Role::Administrator];

    /// Stable name for databases and texts, for example "duty_officer".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::DutyOfficer => "duty_officer",
            Self::Commander => "commander",
            Self::Liaison => "liaison",
            Self::Administrator => "administrator",
        }
    }

    /// The role of a stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }

    /// From the wire; `None` if unset or unknown.
    pub fn from_proto(role: i32) -> Option<Self> {
        match pb::Role::try_from(role).ok()? {
            pb::Role::Unspecified => None,
            pb::Role::Viewer => Some(Self::Viewer),
            pb::Role::DutyOfficer => Some(Self::DutyOfficer),
            pb::Role::Commander => Some(Self::Commander),
            pb::Role::Liaison => Some(Self::Liaison),
            pb::Role::Administrator => Some(Self::Administrator),
        }
    }

    /// To the wire.
    pub fn to_proto(self) -> pb::Role {
        match self {
            Self::Viewer => pb::Role::Viewer,
            Self::DutyOfficer => pb::Role::DutyOfficer,
            Self::Commander => pb::Role::Commander,
            Self::Liaison => pb::Role::Liaison,
            Self::Administrator => pb::Role::Administrator,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A role in a jurisdiction for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Administrative code whose records are covered: "420000" the province, "422800" a prefecture, "422822" a county.
    pub jurisdiction: String,
    /// In force from this instant.
    pub start: Timestamp,
    /// In force until just before this instant; `None` until further notice.
    pub end: Option<Timestamp>,
}

impl Grant {
    /// Is it in force at this wall time?
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.start <= now && self.end.is_none_or(|end| now < end)
    }

    /// Does it cover records of this administrative code?
    pub fn covers(&self, admin_code: &str) -> bool {
        jurisdiction_prefix(&self.jurisdiction).is_some_and(|prefix| admin_code.starts_with(prefix))
    }
}

/// Who a session token belongs to: the answer of [`Authenticate`].
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Resource name of the person, "provinces/420000/people/{uuid}".
    pub identity: String,
    /// Name as shown.
    pub display_name: String,
    /// Post and body.
    pub post: String,
    /// All grants of the person; their dates are checked at each use.
    pub grants: Vec<Grant>,
    /// The node's own identifier of the session (never the token), so that it can be ended.
    pub session_id: String,
}

/// Knows the sessions. Implemented by the node; the edge asks it for each call.
pub trait Authenticate: Send + Sync + 'static {
    /// The person of this session token; UNAUTHENTICATED if there is no such session, it is over, or the person is switched off.
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<SignedIn>>;
}

/// The person who makes a call, as handlers see it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Resource name of the person.
    pub identity: String,
    /// Name as shown.
    pub display_name: String,
    /// Post and body.
    pub post: String,
    /// All grants; use [`Caller::may`] and its like, which check the dates.
    pub grants: Vec<Grant>,
    /// The node's identifier of the session.
    pub session_id: String,
    /// The space that the call named; see [`Caller::space`].
    pub space_id: Option<SpaceId>,
}

impl Caller {
    /// The space of the call. Present for each method whose rule asks for one; otherwise INVALID_ARGUMENT naming the metadata.
    pub fn space(&self) -> Result<SpaceId> {
        self.space_id.ok_or_else(space_missing)
    }

    /// Has the caller this role for records of this code, now?
    pub fn may(&self, role: Role, admin_code: &str) -> bool {
        self.may_at(role, admin_code, wall::now())
    }

    /// Has the caller this role for records of this code, at this wall time?
    pub fn may_at(&self, role: Role, admin_code: &str, now: Timestamp) -> bool {
        self.in_force(now).any(|grant| grant.role == role && grant.covers(admin_code))
    }

    /// May the caller know of records of this code? Any role reads.
    pub fn can_read(&self, admin_code: &str) -> bool {
        self.in_force(wall::now()).any(|grant| grant.covers(admin_code))
    }

    /// Refuses a call on a record of this code: NOT_FOUND if no grant covers it, PERMISSION_DENIED (reason ROLE_REQUIRED) if none that
    /// covers it has one of these roles. Where the record has a name, use [`Caller::require_on`], so that what is hidden and what is
    /// not there answer the same.
    pub fn require(&self, roles: &[Role], admin_code: &str) -> Result<()> {
        self.require_on(roles, admin_code, "such record")
    }

    /// The same for a record with this resource name.
    pub fn require_on(&self, roles: &[Role], admin_code: &str, name: &str) -> Result<()> {
        let now = wall::now();
        if !self.in_force(now).any(|grant| grant.covers(admin_code)) {
            return Err(Error::not_found(name));
        }
        if roles.iter().any(|role| self.may_at(*role, admin_code, now)) {
            return Ok(());
        }
        Err(role_required(roles).with("adminCode", admin_code))
    }

    /// Refuses a call of this method on a record of this code unless the caller has one of the method's roles there. The layer has
    /// checked only that he has one of them somewhere.
    pub fn require_for(&self, method: &'static str, admin_code: &str, name: &str) -> Result<()> {
        match rule_of(method).map(|rule| rule.access) {
            Some(Access::Roles(roles)) => self.require_on(roles, admin_code, name),
            _ => Err(Error::internal(format!("{method} has no roles"))),
        }
    }

    /// Prefixes of the administrative codes that the caller may read now, none inside another, in order: "42" for the grant "420000".
    /// Empty: nothing.
    pub fn scope(&self) -> Vec<String> {
        self.scope_at(wall::now())
    }

    /// The same at this wall time.
    pub fn scope_at(&self, now: Timestamp) -> Vec<String> {
        let mut prefixes: Vec<&str> = self.in_force(now).filter_map(|grant| jurisdiction_prefix(&grant.jurisdiction)).collect();
        prefixes.sort_unstable();
        let mut scope: Vec<String> = Vec::new();
        for prefix in prefixes {
            // Sorted: what covers a prefix stands before it.
            if !scope.iter().any(|kept| prefix.starts_with(kept.as_str())) {
                scope.push(prefix.to_owned());
            }
        }
        scope
    }

    fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.in_force(now))
    }
}

/// The caller that the layer put into a request. INTERNAL if the method is public or the layer is missing.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller> {
    request.extensions().get::<Caller>().cloned().ok_or_else(|| Error::internal("the call carries no signed-in person"))
}

/// The layer of the console listener: finds the rule of the method, the person of the token and the space, and refuses what the rule
/// forbids. A method without a rule is unknown here, whatever stands behind it.
pub(crate) async fn authorise(State(sessions): State<Arc<dyn Authenticate>>, mut request: Request, next: Next) -> Response {
    let Some(rule) = rule_of(request.uri().path()) else {
        return tonic::Status::unimplemented("this node has no such method").into_http();
    };
    if rule.access == Access::Public {
        return next.run(request).await;
    }
    match admit(&*sessions, rule, request.headers()).await {
        Ok(caller) => {
            let granted = caller.grants.clone();
            request.extensions_mut().insert(caller);
            let headers = request.headers().clone();
            let response = next.run(request).await;
            if response.headers().contains_key("grpc-status") {
                // Refused before any message: nothing goes on.
                return response;
            }
            let until = Box::pin(session_ends(sessions, rule, headers, granted));
            response.map(|inner| Body::new(Ending::new(inner, until)))
        }
        Err(error) => to_status(error).into_http(),
    }
}

/// A stream outlives the call that opened it: every few seconds its session and grants are looked at again, and what would be refused
/// now ends it.
async fn session_ends(sessions: Arc<dyn Authenticate>, rule: &'static Rule, headers: HeaderMap, granted: Vec<Grant>) -> Error {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        match admit(&*sessions, rule, &headers).await {
            Ok(now) if now.grants == granted => {}
            // The handler goes by the grants of the beginning.
            Ok(_) => return Error::new(Code::Aborted, "GRANTS_CHANGED", "your grants have changed; open the stream again"),
            Err(error) if matches!(error.code, Code::Unauthenticated | Code::PermissionDenied) => return error,
            // A database that does not answer now says nothing about the session.
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "a stream's session could not be looked at"),
        }
    }
}

async fn admit(sessions: &dyn Authenticate, rule: &Rule, headers: &HeaderMap) -> Result<Caller> {
    let signed_in = sessions.authenticate(bearer_token(headers)?).await?;
    let space_id = space_of(headers)?;
    if rule.needs_space && space_id.is_none() {
        return Err(space_missing());
    }
    let SignedIn { identity, display_name, post, grants, session_id } = signed_in;
    let caller = Caller { identity, display_name, post, grants, session_id, space_id };
    if let Access::Roles(roles) = rule.access {
        // In any jurisdiction: which record it is, only the handler knows.
        if !caller.in_force(wall::now()).any(|grant| roles.contains(&grant.role)) {
            return Err(role_required(roles));
        }
    }
    Ok(caller)
}

pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<&str> {
    let missing = || {
        let text = "sign in first: the call carries no metadata \"authorization: Bearer {session token}\"";
        Error::new(Code::Unauthenticated, "TOKEN_MISSING", text)
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    let token = token.trim();
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > 512 {
        return Err(missing());
    }
    Ok(token)
}

pub(crate) fn space_of(headers: &HeaderMap) -> Result<Option<SpaceId>> {
    let mut values = headers.get_all(SPACE_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::invalid(SPACE_HEADER, "must be given once"));
    }
    let text = value.to_str().map_err(|_| Error::invalid(SPACE_HEADER, "must be \"real\" or \"exercises/{uuid}\""))?;
    text.parse().map(Some)
}

fn space_missing() -> Error {
    Error::invalid(SPACE_HEADER, "is missing: the metadata must name the space, \"real\" or \"exercises/{uuid}\"")
}

fn role_required(roles: &[Role]) -> Error {
    let names = roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    Error::new(Code::PermissionDenied, "ROLE_REQUIRED", format!("this needs one of the roles {names}; none of your grants in force has it"))
        .with("roles", names)
}
