//! Queues: first in, first out.
//!
//! Element *a* must come before *b* if it was put in before (the one operation returned before the other began), or
//! taken out before. Each of the two relations is an interval order, and if there is a cycle at all there is one of
//! two elements, one put in first and the other taken out first: in a longer cycle two steps of one kind, with others
//! between them, can be joined, as intervals a < b and c < d imply a < d or c < b. So the elements are sorted by
//! repeatedly taking one that must not come after any other that is left; if there is none, two of them clash.
//!
//! Of the elements that may come next the one is taken whose put returned first. Then at any time an element is in
//! the queue only when some element is certainly in it, so that a dequeue that found nothing can be placed if there
//! is a moment during it at which no element is certainly in the queue. Puts take effect as late and takes as early as
//! the order of the elements allows.

use super::contents::{Clash, Contents, cover};
use super::ordering::by_positions;
use super::ready::Ready;
use super::{NEVER, Question};

/// The operations in a legal order, or a clash.
pub(super) fn arrange(contents: &Contents, question: Question) -> Result<Vec<u32>, Clash> {
    let order = sort(contents)?;
    if question == Question::Existence && contents.nothings.is_empty() {
        return Ok(Vec::new());
    }
    interleave(contents, &order)
}

/// The elements in an order that both relations allow.
fn sort(contents: &Contents) -> Result<Vec<u32>, Clash> {
    let elements = &contents.elements;
    let len = elements.len();
    let [put_returned, take_invoked, take_returned] = by_positions(len, |at| {
        let element = &elements[at];
        [
            element.put_returned,
            element.take_invoked(),
            element.take_returned,
        ]
    });
    // What is known of each: may it be put next, may it be taken next, has it been chosen?
    const PUT: u8 = 1;
    const TAKE: u8 = 2;
    const CHOSEN: u8 = 4;
    let mut known = vec![0_u8; len];
    let mut ready = Ready::below(len);
    // By element: its place among the returns of puts.
    let mut ranks = vec![0; len];
    for (rank, at) in (0..).zip(&put_returned) {
        ranks[*at as usize] = rank;
    }
    let mut order = Vec::with_capacity(len);
    let (mut next_put, mut next_take, mut first_put, mut first_take) = (0, 0, 0, 0);
    while order.len() < len {
        while known[put_returned[first_put] as usize] & CHOSEN != 0 {
            first_put += 1;
        }
        while known[take_returned[first_take] as usize] & CHOSEN != 0 {
            first_take += 1;
        }
        let least_put = elements[put_returned[first_put] as usize].put_returned;
        let least_take = elements[take_returned[first_take] as usize].take_returned;
        let mut offer = |at: usize, part: u8, known: &mut [u8]| {
            known[at] |= part;
            if known[at] & (PUT | TAKE) == PUT | TAKE {
                ready.insert(ranks[at]);
            }
        };
        // Elements stand in the order in which they were put in.
        while next_put < len && elements[next_put].put_invoked <= least_put {
            offer(next_put, PUT, &mut known);
            next_put += 1;
        }
        while next_take < len
            && elements[take_invoked[next_take] as usize].take_invoked() <= least_take
        {
            offer(take_invoked[next_take] as usize, TAKE, &mut known);
            next_take += 1;
        }
        let Some(rank) = ready.pop_first() else {
            return Err(Clash {
                elements: vec![put_returned[first_put], take_returned[first_take]],
                nothings: Vec::new(),
            });
        };
        let chosen = put_returned[rank as usize];
        known[chosen as usize] |= CHOSEN;
        order.push(chosen);
    }
    Ok(order)
}

/// Puts the operations in order, given that of the elements.
fn interleave(contents: &Contents, order: &[u32]) -> Result<Vec<u32>, Clash> {
    let element = |rank: usize| &contents.elements[order[rank] as usize];
    // Before which event each is put in, as late as may be: before what comes later, and before its own return.
    let mut put_before = vec![NEVER; order.len()];
    let mut least = NEVER;
    for rank in (0..order.len()).rev() {
        least = least.min(element(rank).put_returned);
        put_before[rank] = least;
    }
    let nothings = place_nothings(contents, order, &put_before)?;
    // After each event come the takes, each with its put if that is not before; then what finds nothing; then the
    // puts that the next event forces.
    let mut line = Vec::with_capacity(2 * order.len() + nothings.len());
    let (mut put, mut nothing) = (0, 0);
    let mut takes = takes_after(contents, order).enumerate().peekable();
    loop {
        // A put that is forced by an event takes effect after the event before that.
        let put_at = put_before.get(put).map_or(NEVER, |at| at.saturating_sub(1));
        let (take, take_at) = takes.peek().copied().unwrap_or((order.len(), NEVER));
        let nothing_at = nothings.get(nothing).copied().unwrap_or(NEVER);
        if take_at != NEVER && take_at <= nothing_at && take_at <= put_at {
            if put <= take {
                line.push(element(take).put_invoked);
                put = take + 1;
            }
            line.push(element(take).take);
            takes.next();
        } else if nothing_at != NEVER && nothing_at <= put_at {
            line.push(contents.nothings[nothing].invoked);
            nothing += 1;
        } else if put < order.len() {
            line.push(element(put).put_invoked);
            put += 1;
        } else {
            return Ok(line);
        }
    }
}

/// After which event each element is taken out, as early as may be.
fn takes_after<'a>(contents: &'a Contents, order: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let takes = order.iter().map(|at| &contents.elements[*at as usize]);
    takes.scan(0, |greatest, element| {
        *greatest = element.take_invoked().max(*greatest);
        Some(*greatest)
    })
}

/// After which event each operation that found nothing takes effect: the first during it after which the queue can
/// be empty.
fn place_nothings(
    contents: &Contents,
    order: &[u32],
    put_before: &[u32],
) -> Result<Vec<u32>, Clash> {
    let mut places = Vec::with_capacity(contents.nothings.len());
    let mut there = put_before
        .iter()
        .zip(takes_after(contents, order))
        .peekable();
    let mut full_until = 0;
    for (at, nothing) in contents.nothings.iter().enumerate() {
        let mut place = nothing.invoked.max(full_until);
        while let Some((_, taken)) = there.next_if(|(put_before, _)| **put_before <= place) {
            full_until = full_until.max(taken);
            place = place.max(taken);
        }
        if place >= nothing.returned {
            let elements = (0..).zip(contents.elements.iter().copied());
            return Err(Clash {
                elements: cover(elements, nothing.invoked, nothing.returned),
                nothings: vec![u32::try_from(at).expect("fewer than events")],
            });
        }
        places.push(place);
    }
    Ok(places)
}
