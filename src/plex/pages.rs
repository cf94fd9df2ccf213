//! Stand-in.
pub(crate) struct Joined {
    pages: Vec<Vec<u8>>,
}
impl Joined {
    pub(crate) fn new(first: Vec<u8>) -> Result<Self, Vec<u8>> {
        if first.starts_with(b"[") { Ok(Self { pages: vec![first] }) } else { Err(first) }
    }
    pub(crate) fn done(&self) -> u64 {
        self.pages.len() as u64
    }
    pub(crate) fn total(&self) -> Option<u64> {
        None
    }
    pub(crate) fn is_complete(&self) -> bool {
        false
    }
    pub(crate) fn add(&mut self, page: Vec<u8>) -> Result<u64, String> {
        if page == b"[]" {
            return Ok(0);
        }
        self.pages.push(page);
        Ok(1)
    }
    pub(crate) fn bytes(&self) -> u64 {
        self.pages.iter().map(|p| p.len() as u64).sum()
    }
    pub(crate) fn finish(self) -> Vec<u8> {
        self.pages.concat()
    }
}
