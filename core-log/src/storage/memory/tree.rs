//! The names of the disk in memory: as the process sees them, and as they would be found after a power cut.
//!
//! Un-synced changes of names survive a cut or not, each for itself: stricter than a journaling filesystem, which
//! keeps their order, and all that POSIX promises. A rename survives as a whole or not at all.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io, mem,
    path::{Component, Path},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{content::Content, dice::Dice};

#[derive(Clone)]
pub(super) enum Node {
    File(Arc<FileNode>),
    Dir(Arc<DirNode>),
}

/// A file, whatever its name is, and whether it has one.
pub(super) struct FileNode {
    id: u64,
    pub(super) content: Mutex<Content>,
}

#[derive(Default)]
pub(super) struct DirNode {
    id: u64,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    now: BTreeMap<OsString, Node>,
    durable: BTreeMap<OsString, Node>,
}

/// A name in a directory.
#[derive(Clone)]
pub(super) struct Place {
    dir: Arc<DirNode>,
    name: OsString,
}

/// A change of names that no sync has covered: it clears one place, or sets one, or both at once.
struct Change {
    id: u64,
    cleared: Option<Place>,
    set: Option<(Place, Node)>,
}

#[derive(Default)]
pub(super) struct Tree {
    root: Arc<DirNode>,
    ids: u64,
    /// Oldest first.
    pending: Vec<Change>,
}

impl Tree {
    pub(super) fn find(&self, path: &Path) -> io::Result<Node> {
        let mut node = Node::Dir(Arc::clone(&self.root));
        for name in names(path) {
            node = node.dir()?.entry(name?).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    pub(super) fn find_file(&self, path: &Path) -> io::Result<Arc<FileNode>> {
        match self.find(path)? {
            Node::File(file) => Ok(file),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn find_dir(&self, path: &Path) -> io::Result<Arc<DirNode>> {
        self.find(path)?.dir()
    }

    /// The file at `path`, new when there is none.
    pub(super) fn create_file(&mut self, path: &Path) -> io::Result<Arc<FileNode>> {
        let place = self.place(path)?;
        match place.dir.entry(&place.name) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Dir(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => {
                let file = Arc::new(FileNode { id: self.next_id(), content: Mutex::default() });
                self.change(None, Some((place, Node::File(Arc::clone(&file)))));
                Ok(file)
            }
        }
    }

    pub(super) fn create_dir(&mut self, path: &Path) -> io::Result<()> {
        let mut dir = Arc::clone(&self.root);
        for name in names(path) {
            let name = name?;
            dir = match dir.entry(name) {
                Some(node) => node.dir()?,
                None => {
                    let made = Arc::new(DirNode { id: self.next_id(), names: Mutex::default() });
                    let place = Place { dir, name: name.to_owned() };
                    self.change(None, Some((place, Node::Dir(Arc::clone(&made)))));
                    made
                }
            };
        }
        Ok(())
    }

    /// Returns the file that lost its name to the new one.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<Option<Node>> {
        let node = self.find(from)?;
        if from == to {
            return Ok(None);
        }
        if to.starts_with(from) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (from, to) = (self.place(from)?, self.place(to)?);
        let replaced = to.dir.entry(&to.name);
        match (&node, &replaced) {
            (Node::Dir(_), Some(Node::File(_))) => return Err(io::ErrorKind::NotADirectory.into()),
            (Node::File(_), Some(Node::Dir(_))) => return Err(io::ErrorKind::IsADirectory.into()),
            (Node::Dir(_), Some(Node::Dir(old))) if !old.list().is_empty() => {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            _ => {}
        }
        self.change(Some(from), Some((to, node)));
        Ok(replaced)
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<Arc<FileNode>> {
        let file = self.find_file(path)?;
        let place = self.place(path)?;
        self.change(Some(place), None);
        Ok(file)
    }

    /// Removes file after file, then the directory, as a real disk must; returns the files.
    pub(super) fn remove_dir(&mut self, path: &Path) -> io::Result<Vec<Arc<FileNode>>> {
        let mut removed = vec![];
        for name in self.find_dir(path)?.list() {
            let path = path.join(name);
            match self.find(&path)? {
                Node::File(_) => removed.push(self.remove_file(&path)?),
                Node::Dir(_) => removed.extend(self.remove_dir(&path)?),
            }
        }
        let place = self.place(path)?;
        self.change(Some(place), None);
        Ok(removed)
    }

    pub(super) fn sync_dir(&mut self, dir: &Arc<DirNode>) {
        let mut waiting: Vec<Change> = vec![];
        for change in mem::take(&mut self.pending) {
            if !change.touches(dir) {
                waiting.push(change);
                continue;
            }
            change.apply(|names| &mut names.durable);
            // What waits in another directory for a name that this rename took is settled with it.
            waiting.iter_mut().for_each(|older| older.overtaken_by(&change));
        }
        self.pending = waiting;
    }

    /// A failed sync: no later one makes these changes durable.
    pub(super) fn lose_pending(&mut self, dir: &Arc<DirNode>) {
        self.pending.retain(|change| !change.touches(dir));
    }

    /// The tree as found after a power cut.
    pub(super) fn after_cut(&self, seed: u64) -> Self {
        let mut found = Found { seed, dirs: BTreeMap::new(), ids: 0 };
        for change in &self.pending {
            if Dice::new(seed, change.id).coin() {
                found.apply(change);
            }
        }
        let root = found.dir(&self.root);
        Self { root, ids: found.ids, pending: vec![] }
    }

    fn place(&self, path: &Path) -> io::Result<Place> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let dir = self.find_dir(path.parent().unwrap_or(Path::new("")))?;
        Ok(Place { dir, name })
    }

    fn change(&mut self, cleared: Option<Place>, set: Option<(Place, Node)>) {
        let change = Change { id: self.next_id(), cleared, set };
        change.apply(|names| &mut names.now);
        self.pending.push(change);
    }

    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}

impl Node {
    fn dir(&self) -> io::Result<Arc<DirNode>> {
        match self {
            Self::Dir(dir) => Ok(Arc::clone(dir)),
            Self::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
}

impl DirNode {
    pub(super) fn list(&self) -> Vec<OsString> {
        self.names.lock().now.keys().cloned().collect()
    }

    fn entry(&self, name: &OsStr) -> Option<Node> {
        self.names.lock().now.get(name).cloned()
    }
}

impl Place {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.dir, &other.dir) && self.name == other.name
    }
}

impl Change {
    fn places(&self) -> impl Iterator<Item = &Place> {
        self.cleared.iter().chain(self.set.iter().map(|(place, _)| place))
    }

    fn touches(&self, dir: &Arc<DirNode>) -> bool {
        self.places().any(|place| Arc::ptr_eq(&place.dir, dir))
    }

    fn overtaken_by(&mut self, later: &Self) {
        let taken = |place: &Place| later.places().any(|other| other.is(place));
        self.cleared.take_if(|place| taken(place));
        self.set.take_if(|(place, _)| taken(place));
    }

    /// Applies to the names that `of` selects, in both directories.
    fn apply(&self, of: impl Fn(&mut Names) -> &mut BTreeMap<OsString, Node>) {
        if let Some(place) = &self.cleared {
            of(&mut place.dir.names.lock()).remove(&place.name);
        }
        if let Some((place, node)) = &self.set {
            of(&mut place.dir.names.lock()).insert(place.name.clone(), node.clone());
        }
    }
}

/// Builds the tree that a power cut leaves.
struct Found {
    seed: u64,
    /// Directories whose durable names surviving changes have altered.
    dirs: BTreeMap<u64, BTreeMap<OsString, Node>>,
    ids: u64,
}

impl Found {
    fn apply(&mut self, change: &Change) {
        if let Some(place) = &change.cleared {
            self.names(&place.dir).remove(&place.name);
        }
        if let Some((place, node)) = &change.set {
            self.names(&place.dir).insert(place.name.clone(), node.clone());
        }
    }

    fn names(&mut self, dir: &DirNode) -> &mut BTreeMap<OsString, Node> {
        self.dirs.entry(dir.id).or_insert_with(|| dir.names.lock().durable.clone())
    }

    fn dir(&mut self, dir: &DirNode) -> Arc<DirNode> {
        self.ids += 1;
        let id = self.ids;
        let names = self.names(dir).clone();
        let now: BTreeMap<_, _> = names.into_iter().map(|(name, node)| (name, self.node(&node))).collect();
        Arc::new(DirNode { id, names: Mutex::new(Names { durable: now.clone(), now }) })
    }

    fn node(&mut self, node: &Node) -> Node {
        match node {
            Node::Dir(dir) => Node::Dir(self.dir(dir)),
            Node::File(file) => {
                self.ids += 1;
                let bytes = file.content.lock().after_cut(&mut Dice::new(self.seed, file.id));
                Node::File(Arc::new(FileNode { id: self.ids, content: Mutex::new(Content::found(bytes)) }))
            }
        }
    }
}

/// The names on the way from the root to `path`.
fn names(path: &Path) -> impl Iterator<Item = io::Result<&OsStr>> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(Ok(name)),
        Component::RootDir | Component::CurDir => None,
        Component::ParentDir | Component::Prefix(_) => Some(Err(io::ErrorKind::InvalidInput.into())),
    })
}
