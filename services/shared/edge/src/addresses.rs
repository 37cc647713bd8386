//! Counts what each address holds, so that one cannot take all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// How much each address holds of something.
#[derive(Debug)]
pub(crate) struct Addresses {
    most: u32,
    held: Mutex<HashMap<IpAddr, u32>>,
}

/// One place of an address; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    of: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// At most so much for each address.
    pub(crate) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// A place for this address; `None` if it has all that it may have.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = counted_as(address);
        let mut held = self.held.lock();
        let count = held.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { of: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.of.held.lock();
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

/// A household or an office has a whole /64 of IPv6.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_address_and_given_back() {
        let addresses = Addresses::new(2);
        let take = |text: &str| addresses.take(text.parse().unwrap());
        let (one, two) = (take("10.0.0.1"), take("::ffff:10.0.0.1"));
        assert!(one.is_some() && two.is_some() && take("10.0.0.1").is_none());
        let (three, four) = (take("2001:db8:0:1::1"), take("2001:db8:0:1:ffff::2"));
        assert!(three.is_some() && four.is_some() && take("2001:db8:0:1::3").is_none());
        assert!(take("2001:db8:0:2::1").is_some());
        drop(one);
        assert!(take("10.0.0.1").is_some());
        drop((two, three, four));
        assert!(addresses.held.lock().is_empty());
    }
}
