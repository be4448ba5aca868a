//! Priority queues: the least element first.
//!
//! Only lesser elements keep an element from being taken out. So the elements are judged in ascending order: each
//! needs a moment, while it is being taken out, at which none of the lesser is certainly there. It takes the first
//! such moment; until then some lesser element is certainly there, so that staying longer than it must keeps no
//! greater one from anything. What finds nothing comes last, as if it were the greatest. (The least element first and
//! not the greatest, which is how Lee and Mathur remove elements, makes one pass with a union-find of it.)

use super::contents::{Clash, Contents, Element, cover};
use super::{NEVER, Question};

/// The moments, each after an event, at which no lesser element is certainly there.
struct Free {
    /// The position of the first event.
    first: u32,
    /// For each moment a later one, or itself if it is free.
    next: Vec<u32>,
    /// The events, if they lie too far apart for an array that has a place for each position.
    positions: Option<Vec<u32>>,
}

impl Free {
    fn new(contents: &Contents) -> Self {
        const SPREAD_MAX: usize = 16;
        let elements = contents.elements.iter().flat_map(|element| {
            let Element {
                put_invoked,
                put_returned,
                take_returned,
                ..
            } = *element;
            let take_invoked = element.take_invoked();
            [put_invoked, put_returned, take_invoked, take_returned]
        });
        let nothings = contents.nothings.iter();
        let all = elements.chain(nothings.flat_map(|nothing| [nothing.invoked, nothing.returned]));
        let all = all.filter(|position| *position != NEVER);
        let (first, last, count) = all.clone().fold((NEVER, 0, 0), |(first, last, count), at| {
            (first.min(at), last.max(at), count + 1_usize)
        });
        let range = last.saturating_sub(first) as usize + 2;
        let positions = (range > SPREAD_MAX * count + 64).then(|| {
            let mut positions: Vec<_> = all.collect();
            positions.sort_unstable();
            positions.dedup();
            positions
        });
        let len = positions
            .as_ref()
            .map_or(range, |positions| positions.len() + 1);
        let next = (0..u32::try_from(len).expect("fewer than events")).collect();
        Self {
            first,
            next,
            positions,
        }
    }

    /// The moment after the event at a position; the last is the end of time.
    fn moment(&self, position: u32) -> u32 {
        let end = self.next.len() - 1;
        let moment = match &self.positions {
            _ if position == NEVER => end,
            None => (position - self.first) as usize,
            Some(positions) => positions.partition_point(|other| *other < position),
        };
        u32::try_from(moment).expect("fewer than events")
    }

    /// The first free moment from one on.
    fn find(&mut self, mut moment: u32) -> u32 {
        while self.next[moment as usize] != moment {
            let next = self.next[moment as usize];
            self.next[moment as usize] = self.next[next as usize];
            moment = next;
        }
        moment
    }

    /// An element is certainly there from the one moment until before the other.
    fn occupy(&mut self, from: u32, until: u32) {
        let mut moment = self.find(from);
        while moment < until {
            self.next[moment as usize] = until;
            moment = self.find(moment + 1);
        }
    }
}

/// The operations in a legal order, or a clash.
pub(super) fn arrange(contents: &Contents, question: Question) -> Result<Vec<u32>, Clash> {
    let elements = &contents.elements;
    let mut ascending: Vec<_> = (0..)
        .zip(elements)
        .map(|(at, element)| (element.value, at))
        .collect();
    ascending.sort_unstable();
    let mut free = Free::new(contents);
    // Operations with the moments at which they take effect; at one moment in this order: what is taken out, with
    // its put if that is not before; what finds nothing; what is put in, because the next event is its return.
    let mut placed: Vec<(u32, u32)> =
        Vec::with_capacity(2 * elements.len() + contents.nothings.len());
    let mut puts = Vec::with_capacity(elements.len());
    for (rank, (_, at)) in ascending.iter().enumerate() {
        let element = &elements[*at as usize];
        let put_by = free.moment(element.put_returned);
        if element.take == NEVER {
            puts.push((put_by - 1, element.put_invoked));
            let end = free.moment(NEVER);
            free.occupy(put_by, end);
            continue;
        }
        let taken = free.moment(element.take_invoked());
        let moment = free.find(taken);
        if moment >= free.moment(element.take_returned) {
            let lesser = ascending[..rank]
                .iter()
                .map(|(_, at)| (*at, elements[*at as usize]));
            let mut clash = cover(lesser, element.take_invoked(), element.take_returned);
            clash.push(*at);
            return Err(Clash {
                elements: clash,
                nothings: Vec::new(),
            });
        }
        if put_by <= moment {
            puts.push((put_by - 1, element.put_invoked));
        } else {
            placed.push((moment, element.put_invoked));
        }
        placed.push((moment, element.take));
        if put_by < taken {
            free.occupy(put_by, taken);
        }
    }
    for (at, nothing) in (0..).zip(&contents.nothings) {
        let invoked = free.moment(nothing.invoked);
        let moment = free.find(invoked);
        if moment >= free.moment(nothing.returned) {
            let all = (0..).zip(elements.iter().copied());
            return Err(Clash {
                elements: cover(all, nothing.invoked, nothing.returned),
                nothings: vec![at],
            });
        }
        placed.push((moment, nothing.invoked));
    }
    if question == Question::Existence {
        return Ok(Vec::new());
    }
    placed.append(&mut puts);
    Ok(by_moment(&placed, free.next.len()))
}

/// The operations in the order of their moments, those of one moment in the order in which they stand.
fn by_moment(placed: &[(u32, u32)], moments: usize) -> Vec<u32> {
    let mut offsets = vec![0_u32; moments + 1];
    for (moment, _) in placed {
        offsets[*moment as usize + 1] += 1;
    }
    for moment in 0..moments {
        offsets[moment + 1] += offsets[moment];
    }
    let mut order = vec![0; placed.len()];
    for (moment, operation) in placed {
        let offset = &mut offsets[*moment as usize];
        order[*offset as usize] = *operation;
        *offset += 1;
    }
    order
}
