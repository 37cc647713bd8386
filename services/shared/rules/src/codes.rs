//! The closed lists of values that a fact can take. Each has `unknown`, which is its default and is never "no" or "none".
//! `codes!` writes such a list once, with its names in JSON.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal,)+ } default $default:ident) => {
        codes! { $(#[$meta])* $name { $($(#[$vmeta])* $variant = $code,)+ } }

        impl Default for $name {
            fn default() -> Self { $name::$default }
        }
    };
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// All values in the order of their list.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The names in JSON and in the rule tables, in the same order.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// The name in JSON and in the rule tables; stable, fit to be stored.
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code),+ }
            }

            /// The value of this name; `None` if there is no such name.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some($name::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// An answer that may be unknown.
    Tristate {
        /// Yes.
        Yes = "yes",
        /// No.
        No = "no",
        /// Not known, which is neither yes nor no.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// How far a figure has been checked.
    FigureStatus {
        /// Told by somebody. Counts: the preliminary judgment goes by what is heard.
        Heard = "heard",
        /// Checked by an officer or a document. Counts.
        Verified = "verified",
        /// Checked and found not to count. It settles the criterion: nothing counts there. A figure that is merely
        /// withdrawn while the true one is not known has to be set to unknown instead (no value).
        Excluded = "excluded",
    } default Heard
}

codes! {
    /// The gravest level of centralised drinking-water source whose intake the pollution interrupted (取水中断).
    WaterIntakeInterruption {
        /// None.
        None = "none",
        /// Of a township (乡镇).
        Township = "township",
        /// Of a county-level city, by usual reading also of a county town (县级城市).
        County = "county",
        /// Of a city at prefecture level or above (设区的市级以上城市).
        PrefectureOrAbove = "prefecture_or_above",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// The widest administrative boundary concerned. Whether the effect is there already says [`BoundaryStatus`].
    BoundaryEffect {
        /// None.
        None = "none",
        /// Dispute across county-level boundaries that causes general mass effects.
        CountyDispute = "county_dispute",
        /// Across prefecture-level boundaries.
        Prefecture = "prefecture",
        /// Across provincial boundaries.
        Province = "province",
        /// Across the state border.
        National = "national",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// Whether the effect across the boundary has occurred (造成…影响). Only then does it fire a criterion.
    BoundaryStatus {
        /// It has occurred.
        Occurred = "occurred",
        /// It is forecast: it fires nothing, leaves the question open, and supports the sensitive case of Art. 4(4).
        Forecast = "forecast",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// The gravest harm to nature that the pollution caused.
    EcologicalHarm {
        /// None.
        None = "none",
        /// State-protected species harmed.
        ProtectedSpecies = "protected_species",
        /// Regional function partly lost, or mass death of a population of state-protected wild animals or plants.
        PartialFunctionLoss = "partial_function_loss",
        /// Regional function lost, or a state-protected species wiped out.
        FunctionLoss = "function_loss",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// Class of the radioactive source concerned, grouped as the grading tables group them (Ⅰ is the most dangerous).
    SourceClass {
        /// No radioactive source is concerned.
        None = "none",
        /// Class Ⅳ or Ⅴ.
        ClassIvV = "class_iv_v",
        /// Class Ⅲ.
        ClassIii = "class_iii",
        /// Class Ⅰ or Ⅱ.
        ClassIIi = "class_i_ii",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// What happened to the radioactive source.
    SourceEvent {
        /// Nothing.
        None = "none",
        /// Lost or stolen (丢失、被盗).
        LostOrStolen = "lost_or_stolen",
        /// Out of control (失控), without being lost or stolen.
        OutOfControl = "out_of_control",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// Scale of the radiation consequences.
    RadiationConsequence {
        /// None.
        None = "none",
        /// Local, inside the plant or facility.
        InsideFacility = "inside_facility",
        /// Small scale (小范围).
        Small = "small",
        /// Fairly large scale (较大范围).
        FairlyLarge = "fairly_large",
        /// Large scale (大范围).
        Large = "large",
        /// Large-scale and serious (大范围严重).
        LargeSerious = "large_serious",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// Emergency state of a nuclear facility (uranium mining and milling included). Only the annex of Order 17 asks.
    NuclearEmergency {
        /// None.
        None = "none",
        /// On-site emergency (场区应急).
        OnSite = "on_site",
        /// Off-site emergency (场外应急).
        OffSite = "off_site",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}

codes! {
    /// Where the nuclear facility of an INES event stands. Only the annex of Order 17 asks.
    NuclearFacility {
        /// No nuclear facility is concerned.
        None = "none",
        /// In the mainland.
        Domestic = "domestic",
        /// In Taiwan or in a neighbouring country.
        TaiwanOrNeighbouringCountry = "taiwan_or_neighbouring_country",
        /// Not known.
        Unknown = "unknown",
    } default Unknown
}
